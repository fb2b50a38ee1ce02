#!/bin/sh
# Makes bubblewrap work here, which Sheaf's sandbox is made of: installs the package where it is missing or too old, and
# on Ubuntu 24.04 and later gives it the AppArmor profile that it needs there. Where it works already, this does nothing
# and says nothing. It changes no other setting, and needs root, or a sudo that asks for no password.
set -u

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error $1"
  say "  try: $2"
  exit 1
}

# Sheaf starts this one, whatever PATH says.
bwrap=/usr/bin/bwrap

# As Sheaf starts commands: never as root, in namespaces of their own, without a way to make more of them.
try_it() {
  set -- "$bwrap" --unshare-all --unshare-user --disable-userns --die-with-parent --cap-drop ALL \
    --ro-bind / / --proc /proc --dev /dev true
  if [ "$(id -u)" = 0 ]; then
    set -- setpriv --reuid=62000 --regid=62000 --clear-groups --inh-caps=-all "$@"
  fi
  seen="$(cd / && "$@" 2>&1)"
}

is_new_enough() {
  [ -x "$bwrap" ] && "$bwrap" --help 2> /dev/null | grep -q -e --disable-userns
}

# As root it takes a setpriv that knows how, which small systems bring apart.
leaves_root() {
  [ "$(id -u)" != 0 ] || setpriv --reuid=62000 --regid=62000 --clear-groups --inh-caps=-all true 2> /dev/null
}

# The words that make somebody root; empty for root.
become_root() {
  as_root=""
  [ "$(id -u)" = 0 ] && return 0
  as_root="sudo -n"
  command -v sudo > /dev/null && sudo -n true 2> /dev/null
}

package_line() {
  if command -v apt-get > /dev/null; then echo "apt-get install --yes --no-install-recommends bubblewrap"
  elif command -v dnf > /dev/null; then echo "dnf install --assumeyes bubblewrap util-linux"
  elif command -v yum > /dev/null; then echo "yum install --assumeyes bubblewrap util-linux"
  elif command -v apk > /dev/null; then echo "apk add bubblewrap setpriv util-linux-misc"
  elif command -v pacman > /dev/null; then echo "pacman --sync --needed --noconfirm bubblewrap"
  elif command -v zypper > /dev/null; then echo "zypper --non-interactive install bubblewrap"
  fi
}

install_package() {
  line="$(package_line)"
  [ -n "$line" ] || fail "no package manager of a known kind is here" "install bubblewrap 0.8.0 or newer"
  become_root || fail "bubblewrap is missing or too old, and installing it needs root" "sudo $line"
  say "installing bubblewrap: $as_root $line"
  # The words of these lines are ours: they are split where they have spaces.
  # shellcheck disable=SC2086
  if ! $as_root env DEBIAN_FRONTEND=noninteractive $line >&2; then
    # A fresh machine or image knows of no packages yet.
    case "$line" in apt-get*) $as_root apt-get update >&2 && $as_root env DEBIAN_FRONTEND=noninteractive $line >&2 ;; *) false ;; esac ||
      fail "bubblewrap could not be installed" "${as_root:+sudo }$line"
  fi
}

profile() {
  cat << 'END_OF_PROFILE'
abi <abi/4.0>,
include <tunables/global>

profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
END_OF_PROFILE
}

# Ubuntu 23.10 and later let only programs with a profile make user namespaces.
is_restricted() {
  [ "$(sysctl -n kernel.apparmor_restrict_unprivileged_userns 2> /dev/null)" = 1 ] && command -v apparmor_parser > /dev/null
}

allow_namespaces() {
  file=/etc/apparmor.d/bwrap
  become_root || fail "AppArmor keeps bubblewrap from making namespaces, and a profile for it needs root" \
    "sudo sh scripts/install-sandbox.sh"
  say "writing $file, so that AppArmor lets bubblewrap make user namespaces"
  # shellcheck disable=SC2086
  { profile | $as_root tee "$file" > /dev/null; } && $as_root apparmor_parser -r "$file" >&2 ||
    fail "the AppArmor profile could not be loaded" "sudo apparmor_parser -r $file"
}

if [ "$(uname -s)" != Linux ]; then
  say "note  Sheaf's sandbox needs Linux: here commands run only with sandbox: { mode: external }"
  exit 0
fi
try_it && exit 0
if ! is_new_enough || ! leaves_root; then
  install_package
  try_it && exit 0
fi
if is_restricted; then
  allow_namespaces
  try_it && exit 0
fi
fail "bubblewrap is installed, and cannot make a sandbox here: $seen" \
  "npm run -s sheaf -- doctor, which looks for the cause; docs/sandbox.md has what containers need"
