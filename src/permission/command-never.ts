import { listed, type ProgramDanger } from "./command-program.ts";

/** Programs whose purpose is to let somebody run anything; a rule about them spells the whole command out. */
export const neverPrograms: Readonly<Record<string, ProgramDanger>> = Object.fromEntries([
  ...named(
    "opens an editor or a pager, which can start programs; use cat, head, tail or the edit tools",
    `
    vi vim nvim view ex ed red vimdiff rvim rview nano pico emacs emacsclient joe jed mg micro helix hx kak
    less more most man info pg w3m lynx links elinks mc ranger nnn tig lazygit gitk vipw vigr visudo sudoedit
  `,
  ),
  ...named(
    "runs code that it is given; put it into a script that a rule names",
    `
    m4 dc gnuplot octave sqlite3 sqlite psql mysql mariadb mongo mongosh redis-cli tclsh wish expect guile racket sbcl
    clisp ghci erl iex irb pry jshell jrunscript groovy scala kotlin osascript r swipl maxima gp sage bpython ipython
    ptpython awkprof elvish nu xonsh msfconsole ansible ansible-playbook terraform vagrant puppet facter salt fzf dialog
    gimp blender openscad exiftool cpan cpanm pdftex latex pdflatex xelatex lualatex tex texi2dvi nmap openvpn certbot
    aria2c rpm rpmbuild logsave logrotate ssh-agent keychain cpulimit crontab at batch atq runcon sash crash drgn bpftrace
    scapy socat nc ncat netcat telnet rlogin rsh mosh qemu qemu-system-x86_64 docker-compose gpg gpgsm latexmk newgrp
    mail mailx mutt sendmail gdb-multiarch rr lldb-server inotifywait fswatch watchexec watchman pm2 forever supervisord
    babel-node vite-node esno jiti swc-node bunx dlv xonsh xdg-open open sensible-browser ip
  `,
  ),
]);

function named(never: string, names: string): [string, ProgramDanger][] {
  return [...listed(names)].map((name) => [name, { never }]);
}
