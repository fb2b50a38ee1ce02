/** Programs that run what they are given: as words, or as a text that is a script. */

/** The name a program is known by: without its folder, and as a file system that ignores case sees it. */
export function programName(word: string): string {
  const name = word.slice(word.lastIndexOf("/") + 1).toLowerCase();
  return name.replace(/\.(?:exe|cmd|bat)$/, "");
}

export function isShell(program: string): boolean {
  return shells.has(program);
}

/** Package managers and the like: they run the project's scripts, and programs behind a verb. */
export function isPackageRunner(program: string): boolean {
  return packageRunners.has(program);
}

/** Whether the words after this program may be a command. */
export function isRunner(program: string): boolean {
  return runners.has(program) || packageRunners.has(program) || /^ld-[\w.-]*\.so|^ld\.so/.test(program);
}

const named = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

const shells = named("sh bash dash zsh ksh mksh ash fish rbash csh tcsh pwsh powershell source .");

const packageRunners = named(`
  npx npm pnpm pnpx yarn bun bunx deno uv uvx pipx poetry pipenv pdm hatch tox nox bundle composer
  docker podman nerdctl kubectl
`);

const runners = named(`
  timeout gtimeout nice nohup env xargs gxargs sudo doas su runuser setsid stdbuf command builtin exec time gtime
  chroot unshare nsenter busybox toybox watch parallel ionice chrt taskset flock script expect setpriv prlimit
  valgrind strace ltrace gdb lldb perf linux32 linux64 setarch i386 x86_64 systemd-run dbus-run-session xvfb-run ssh
  rlwrap proxychains proxychains4
  torsocks fakeroot eatmydata firejail bwrap entr nodemon concurrently dotenv cross-env
  mise asdf direnv nix nix-shell start-stop-daemon capsh faketime hyperfine cgexec choom trap coproc caffeinate
  unbuffer ts-node tsx catchsegv pkexec machinectl lxc-attach chpst softlimit envdir setuidgid s6-setuidgid
  gosu su-exec tini dumb-init mapfile readarray complete compgen bind run-parts chronic ifne sem
  run0 newgrp sg screen tmux dtach abduco
  c8 nyc corepack env-cmd cross-env-shell dotenvx cargo-watch aa-exec uclampset uname26 systemd-cat systemd-inhibit
  numactl dbus-launch run-one run-this-one proot op aws-vault chamber infisical foreman honcho with-contenv
  rustup opam dune stack cabal lerna nx nvm pyenv rbenv nodenv goenv jenv phpenv volta doppler conda mamba micromamba
  pixi rye melos devbox
  aa-exec systemd-cat systemd-inhibit uclampset uname26 numactl dbus-launch run-one proot c8 nyc cross-env-shell
`);
