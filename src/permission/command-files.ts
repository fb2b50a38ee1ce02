import { code, limit, type ProgramDanger } from "./command-program.ts";

const find: ProgramDanger = {
  starts: { options: "-exec -execdir -ok -okdir" },
  writes: { options: "-delete -fprint -fprint0 -fprintf -fls -files0-from" },
};
const fd: ProgramDanger = { starts: { options: "-x -X --exec --exec-batch", valued: "cdeEjStoC" } };
const plugin: ProgramDanger = { starts: { options: "--plugin" } };
const secureShell: ProgramDanger = { starts: { options: "-o -F -E -I -S -D" } };
const compiler: ProgramDanger = {
  starts: {
    options: "-B -wrapper -specs --specs -cc1 -cc1as -Xclang -fplugin -fuse-ld -fpass-plugin --config -load",
    valued: "ACDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  },
  check: (words) =>
    words.some((word) => /^@|^-W[lap],.*(?:plugin|@)/.test(word))
      ? code("a compiler with @FILE or a plugin of its linker is not admitted; write plain options")
      : undefined,
};
/** Letters that take a value. */
const curlValued = "AbCdeEFHmPQrtuUwxXyYz";

/** Programs that find, pack and fetch files. */
export const filePrograms: Readonly<Record<string, ProgramDanger>> = {
  ar: plugin,
  cc: compiler,
  "c++": compiler,
  cpp: compiler,
  gfortran: compiler,
  gccgo: compiler,
  clang: compiler,
  "clang++": compiler,
  dpkg: { starts: { options: "--pre-invoke --post-invoke --status-logger -i --install" } },
  patch: { starts: { options: "-e --ed -d --directory -o --output -r --reject-file", valued: "pFDiVYBzg" } },
  cpio: { starts: { options: "--rsh-command --to-stdout -E --pattern-file" } },
  curl: {
    starts: { options: "-K --config --engine --proxy-header --unix-socket --abstract-unix-socket", valued: curlValued },
    writes: {
      options: `-o --output -O --remote-name --remote-name-all -J --remote-header-name --output-dir -c --cookie-jar -D
        --dump-header --trace --trace-ascii --stderr --libcurl --hsts --alt-svc --etag-save --ssl-sessions -T --upload-file`,
      valued: curlValued,
      safe: "--trace-time --trace-ids --trace-config",
    },
    check: (words) =>
      words.some((word) => word.includes("%output{"))
        ? code("curl with %output{} writes a file; leave it out")
        : undefined,
  },
  fd,
  fdfind: fd,
  find,
  gcc: compiler,
  "g++": compiler,
  install: { starts: { options: "-s --strip --strip-program", valued: "gmotS" } },
  ld: { starts: { options: "-plugin --plugin" } },
  nm: plugin,
  objcopy: plugin,
  openssl: { starts: { options: "-engine -provider -provider-path -config -writerand -out -passin -passout -keyout" } },
  ranlib: plugin,
  rsync: {
    starts: { options: "-e --rsh --rsync-path --remote-option -M --daemon --log-file --write-batch", valued: "fBT@" },
  },
  scp: secureShell,
  sftp: secureShell,
  ssh: { never: "runs commands elsewhere, and here by its options; have the operator's rule spell the command out" },
  "ssh-keygen": { starts: { options: "-D -P -w" } },
  strip: plugin,
  tar: {
    starts: {
      options: `--checkpoint-action --to-command -I --use-compress-program --rsh-command --rmt-command -F --info-script
        --new-volume-script -T --files-from --index-file`,
      valued: "fCbgXVNKLH",
    },
    check: (words) =>
      /^[^-]*[IFT]/.test(words[1] ?? "") && !/[./]/.test(words[1] ?? "")
        ? code("tar with I, F or T among its letters may start another program; leave that out")
        : undefined,
  },
  wget: { check: () => limit("wget writes what it gets into files and takes settings as options; use curl") },
  zip: { starts: { options: "-T -TT --test --unzip-command", valued: "btnxi" } },
};
