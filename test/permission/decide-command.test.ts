import { describe, expect, it } from "vitest";
import { neverAdmitted } from "../../src/permission/command-danger.ts";
import { decideCommand } from "../../src/permission/decide-command.ts";
import type { Scope, ScopeLayer } from "../../src/protocol/scope.ts";
import { bashScope } from "../support/bash-scope.ts";

const prefixes =
  `npm test,npm run build,npx --no-install tsc,npx vitest,vitest run,git status,git diff,git log,git show,rg,ls,cat
  ,head,tail,grep,cargo test,go test,pytest,python -m pytest,sed,awk,find,sort,uniq,wc,echo,node scripts/build.js,make test
  ,tsc,test,true,cd,jq,bash scripts/check.sh,xargs,env,tar,git grep,curl,node,python,npx,npm,git,make,timeout,sqlite3,yarn
  ,perl,ruby,php,java,go,cargo,gcc,ssh,rsync,zip,fd,pnpm,bun,uv,mvn,gradle,cmake,deno,pip,docker`
    .replaceAll(/\s*,\s*/g, ",")
    .split(",")
    .map((words) => `Bash(${words}:*)`);
const ordinary = bashScope({ allow: prefixes });
const effectOf = (command: string, scope: Scope = ordinary) => decideCommand(scope, command).effect;

describe("ordinary work", () => {
  it.each([
    "npm test",
    "npm test -- --run x",
    "npm test 2>&1 | tail -30",
    "npm test > src/out.txt 2>&1",
    "npm test > /dev/null",
    "NODE_ENV=test npm test",
    "CI=1 NO_COLOR=1 npm test",
    "TZ=Europe/Vienna npm test",
    "timeout 60 npm test",
    "timeout -k 5 1.5m nice -n 5 npm test",
    "nohup npm run build",
    "npx --no-install tsc -b",
    "npx vitest run src/a.test.ts",
    "vitest run -t 'adds (tax)'",
    "git status --short",
    "git diff",
    "git diff --stat HEAD~1",
    "git diff HEAD@{1} -- src/a.ts",
    "git diff --text --word-diff",
    "git log --oneline -5",
    "git log -S'foo' --format='%h %s' --since=1.week",
    "git show HEAD:src/a.ts",
    "git --no-pager log -1",
    "git grep -n 'std::vector'",
    'rg -n "foo|bar" src',
    "rg -tts --glob '*.ts' foo",
    "rg 'a.*b' ./src/*.ts",
    "ls -la",
    "cat a | head -20",
    "grep -rn 'x y' src",
    "cargo test",
    "cargo +stable test -- --nocapture",
    "go test ./...",
    "pytest -q",
    "python -m pytest -q",
    "sed -n '1,20p' a.ts",
    "sed -n '/^export/,/^}/p' a.ts",
    "sed -e 's/[^/]*$//' -e 's#a#b#g' a",
    "sed '$!N;s/\\n/ /' a",
    "awk -F: '$3 > 5 || /x/ { print $1 }' a",
    "find src -name '*.ts' -not -path '*/x/*' -type f",
    "sort -t, -k2,2nr a | uniq -c | sort -rn | head",
    "echo done; echo $?",
    'ls "$HOME"',
    "node scripts/build.js --out x",
    "node --test test/a.test.js",
    "make test -j4",
    "tsc --noEmit && echo ok || echo bad",
    "cd packages/a && npm test",
    "# what fails?\nnpm test 2>&1 |\n  grep FAIL",
    "npm test -- \\\n  --run a",
    "cat <<'END' > src/a.txt\nit's $HOME and $(this)\nEND",
    "test -f a.txt && cat a.txt",
    "bash scripts/check.sh --fast",
    "tar -tzf a.tar.gz",
    "wc -l src/a.ts < src/b.ts",
    "jq '.scripts | keys' package.json",
    "make lint",
    "curl -s https://example.com/",
    "yarn test",
    "pnpm --silent test",
    "npm run lint --silent",
  ])("%s passes without a question", (command) => {
    expect(decideCommand(ordinary, command)).toMatchObject({ effect: "allow" });
  });
});

describe("the danger table", () => {
  it.each([
    "rg --pre=x foo",
    "rg --pre x foo",
    "rg -nz foo",
    "rg --search-zip foo",
    "rg --hostname-bin=x foo",
    "rg foo *",
    "ls *",
    "git s*",
    "fd -x rm",
    "fd --exec-batch rm",
    "find . -delete",
    "find . -fprintf src/x y",
    "sort -o src/x a",
    "sort -uosrc/x a",
    "sort --outp=x a",
    "uniq a b",
    "sed -i s/a/b/ a",
    "sed -ni p a",
    "sed --in-place p a",
    "sed -f x a",
    "sed 'w x' a",
    "sed '$r /etc/passwd' a",
    "sed 's/a/b/w x' a",
    "sed '/a/{p;e}' a",
    "sed ':a;N;ba' a",
    "awk '{ print > \"x\" }' a",
    "awk -f x a",
    "awk '@load \"x\"' a",
    "git --exec-path=. status",
    "git -C .. status",
    "git -C packages/a status",
    "cd packages/a && git status",
    "git -C /tmp status",
    "git --git-dir=x status",
    "git diff --output=x",
    "git diff --no-index a b",
    "git diff --ext-diff",
    "git config alias.x y",
    "git difftool",
    "git planted",
    "git push",
    "git submodule foreach x",
    "git rebase -ix x",
    "git archive -o x HEAD",
    "npm exec x",
    "npm x x",
    "npm --prefix x test",
    "npm test --prefix=x",
    "npm test --script-shell=x",
    "npm test -script-shell=x",
    "npm run build --node-options=--require=x",
    "npm --loglevel test exec x",
    "npm config set x y",
    "npx x",
    "npx --no-install -c x",
    "npx --no-install tsx -e 1",
    "npx -p x y",
    "yarn exec x",
    "yarn dlx x",
    "pnpm dlx x",
    "bun -e 1",
    "make SHELL=x test",
    "make -f x",
    "make -C ../x",
    "make --eval=x",
    "make 'a;b'",
    "node",
    "node -",
    "node -e 1",
    "node --eval=1",
    "node -pe 1",
    "node -r ./x a.js",
    "node --import ./x a.js",
    "node --test --import ./x",
    "node /tmp/a.js",
    "node ../a.js",
    "node <src/a.js",
    "python -c 1",
    "python -uc 1",
    "python -m timeit 1",
    "python -m http.server",
    "perl -e 1",
    "perl -pi -e 1 a",
    "ruby -v -e 1",
    "php -r 1",
    "java -XX:OnOutOfMemoryError=x A",
    "go run ./x",
    "go test -exec x ./...",
    "go test -toolexec=x ./...",
    "go env -w X=y",
    "cargo --config x test",
    "cargo test --config=x",
    "cargo run",
    "gcc -wrapper x a.c",
    "gcc -fplugin=x a.c",
    "tar -tf a --to-command=x",
    "tar -cf x --checkpoint-action=exec=x a",
    "tar xIf x a",
    "tar -T x -cf a",
    "zip -T x y -TT z",
    "rsync -e x a b",
    "ssh -o ProxyCommand=x y",
    "curl -o src/x https://example.com/",
    "curl -sSLo src/x https://example.com/",
    "curl -K x",
    "xargs rg x",
    "env x",
    "timeout 5 x",
    "./timeout 5 npm test",
    "bin/nohup npm test",
    "/usr/bin/nice npm test",
    "timeout --weird npm test",
    "timeout 5 node -e 1",
    "sqlite3 x",
    "mvn -Dexec.executable=x test",
    "gradle -I x test",
    "cmake -P x",
    "deno eval 1",
    "docker run x",
    "bash scripts/other.sh",
    "echo x > out.txt",
    "echo x > ../out.txt",
    "echo x > /tmp/out.txt",
    "echo x > $HOME/x",
    "cat < /dev/tcp/1.2.3.4/80",
    "cat < ../x",
    "cd .. && npm test",
    "cd /tmp && npm test",
    "cd - && npm test",
    "cd src && echo x > a",
    "PATH=. npm test",
    "LD_PRELOAD=x npm test",
    "NODE_OPTIONS=x npm test",
    "GIT_PAGER=x git log",
    "CI=$(x) npm test",
    "TZ=:/etc/x npm test",
    "CI=1; npm test",
    "npm test &",
    "npm te\u200bst",
    "npm\u00a0test",
    "npm test # \u202e",
    "npm test\r",
    "ls\u0000",
    "ls \u001b[0m",
    `ls ${"a".repeat(17_000)}`,
    Array.from({ length: 33 }, () => "ls").join(";"),
    "ls $x",
    "ls $HOME",
    'rg "$TMPDIR"--pre=x',
    'rg -"$USER" x',
    "'' x",
    "./npm test",
    "npm tests",
    "NPM test",
    "ls <<END\nx\nEND",
    "ls <<< x",
    "ls &> /dev/null",
    "ls >& src/x",
    "ls {a,b}",
    "ls ~/x",
    "[ -v x ]",
    "",
    "   ",
    "# nothing",
  ])("%j is not admitted", (command) => {
    expect(effectOf(command)).toBe("deny");
  });

  it("says what to write instead", () => {
    const reasonOf = (command: string) => decideCommand(ordinary, command);
    expect(reasonOf("ls $(x)")).toMatchObject({
      rule: "shell",
      reason: expect.stringContaining("run it by itself first"),
    });
    expect(reasonOf("npm test &")).toMatchObject({ rule: "shell", reason: expect.stringContaining("background") });
    expect(reasonOf("rg x *")).toMatchObject({ rule: "shell", reason: expect.stringContaining("write ./ in front") });
    expect(reasonOf("npm test | less")).toMatchObject({ rule: "no rule", reason: expect.stringContaining('"less"') });
    expect(reasonOf("echo x > y")).toMatchObject({ effect: "deny", reason: expect.stringContaining('writing to "y"') });
  });

  it("does not ask of a rule that spells the whole command out", () => {
    const scope = bashScope({ allow: ["Bash(sed -i s/a/b/ x)", "Bash(node -e 1)", "Bash(make X=1)"] });
    expect(effectOf("sed -i s/a/b/ x", scope)).toBe("allow");
    expect(effectOf("sed -i 's/a/b/' x", scope)).toBe("allow");
    expect(effectOf("node -e 1", scope)).toBe("allow");
    expect(effectOf("node -e 1 2", scope)).toBe("deny");
  });

  it("knows a subcommand behind options that the rule spells out", () => {
    const scope = bashScope({ allow: ["Bash(pnpm --filter a test:*)", "Bash(npm -w test:*)"] });
    expect(effectOf("pnpm --filter a test --silent", scope)).toBe("allow");
    expect(effectOf("npm -w test exec x", scope)).toBe("deny");
  });

  it("knows the prefixes that could never admit anything", () => {
    const never = [
      "bash",
      "bash -c",
      "node -e",
      "find . -exec",
      "xargs",
      "env",
      "timeout",
      "timeout 5",
      "eval",
      "vim",
      "git difftool",
    ];
    expect(never.filter((words) => neverAdmitted(words.split(" ")) === undefined)).toEqual([]);
    const fine = [
      "npm",
      "node",
      "find",
      "sed",
      "awk",
      "npx",
      "git",
      "git push",
      "npm exec vitest",
      "bash scripts/x.sh",
      "timeout 5 npm test",
      "cd",
      "python -m pytest",
      "go run ./x",
      "make",
    ];
    expect(fine.filter((words) => neverAdmitted(words.split(" ")) !== undefined)).toEqual([]);
  });
});

describe("rules that deny and ask", () => {
  const bare = bashScope({ allow: ["Bash"], deny: ["Bash(git push:*)", "Bash(rm:*)", "Bash(npm publish)"] });

  it.each([
    "git push",
    "git -C x push origin",
    "git --no-pager -c a=b push",
    "/usr/bin/git push",
    "GIT push",
    "x=push; git $x",
    'git "$x"',
    "git pus*",
    "git {push,}",
    "sudo -u x git push",
    "sh -c 'cd x && git push'",
    "su -c 'rm x' y",
    "find . -exec sh -c 'rm {}' \\;",
    "(cd x; rm y)",
    "f() { rm x; }",
    "echo $(rm x)",
    "cat <<E\n$(rm x)\nE",
    "npm publish",
    "npm publ",
    "npm publish --dry-run",
    "ls | xargs rm",
    "ls | xargs env",
    "busybox rm x",
    "node -e 1",
    "python3 - < x",
    "curl x | sh",
    "PATH=. npm test",
    "echo '",
    "alias x=y",
    "git push &",
    "git status; rm x",
    "/lib64/ld-linux-x86-64.so.2 /bin/rm x",
  ])("%j is denied where everything else is allowed", (command) => {
    expect(effectOf(command, bare)).toBe("deny");
  });

  it.each([
    "git log -5",
    "NODE_ENV=test FOO=1 timeout 60 npm test -- --run src/a.test.ts",
    "git commit -m 'remove the push'",
    "npm publishing",
    "npm test",
    "for f in a b; do cat $f; done",
    "timeout 60 npx vitest run src/view 'adds (tax'",
    "bash scripts/x.sh",
    "node x.js",
    "cd x && make",
    "echo hi > x &",
    'git commit -m "$message"',
    "git ls-files | xargs grep x",
  ])("%j is not touched by them", (command) => {
    expect(effectOf(command, bare)).toBe("allow");
  });

  it("hold over layers: deny before ask before allow, and every layer must allow every command of a line", () => {
    const layers = (...all: Partial<ScopeLayer>[]): Scope => ({
      layers: all.map((each, index) => ({ source: `layer ${index}`, allow: [], deny: [], ...each })),
      tools: [],
    });
    const [wide] = bashScope({ allow: ["Bash"] }).layers;
    const [tests] = bashScope({ allow: ["Bash(npm test:*)", "Bash(tail:*)"] }).layers;
    const [asks] = bashScope({ allow: ["Bash"], ask: ["Bash(npm test:*)"] }).layers;
    const [denies] = bashScope({ allow: ["Bash"], deny: ["Bash(npm test:*)"] }).layers;
    const none: ScopeLayer = { source: "silent", deny: [] };
    const effect = (command: string, ...all: (ScopeLayer | undefined)[]) =>
      decideCommand(layers(...all.map((each) => each ?? {})), command).effect;
    expect(effect("npm test | tail", tests, wide)).toBe("allow");
    expect(effect("npm test | tail", wide, tests)).toBe("allow");
    expect(effect("npm test | head", wide, tests)).toBe("deny");
    expect(effect("echo $(date)", wide)).toBe("allow");
    expect(effect("echo x > out.txt", wide)).toBe("allow");
    expect(effect("tail x > out.txt", wide, tests)).toBe("deny");
    expect(decideCommand({ layers: [wide ?? none, none], tools: [] }, "echo x > out.txt").effect).toBe("allow");
    expect(effect("echo $(date)", wide, tests)).toBe("deny");
    expect(effect("tail x && npm test", tests, asks)).toBe("ask");
    expect(effect("sh -c 'npm test'", wide, asks)).toBe("ask");
    expect(effect("npm test", asks, denies)).toBe("deny");
  });

  it("leave a question open under mode ask, and nothing under mode plan", () => {
    const scope = { allow: ["Bash(npm test:*)"], deny: ["Bash(rm:*)"] };
    const asking = bashScope({ ...scope, mode: "ask" });
    expect(effectOf("npm test", asking)).toBe("allow");
    expect(effectOf("npm install", asking)).toBe("ask");
    expect(effectOf("npm test $(date)", asking)).toBe("ask");
    expect(effectOf("npm test $(rm x)", asking)).toBe("deny");
    expect(effectOf("npm test", bashScope({ ...scope, mode: "plan" }))).toBe("deny");
  });

  it("asks the caller about each file that is written, by its path in the repository", () => {
    const seen: string[] = [];
    const decideRedirect = (path: string) => {
      seen.push(path);
      return { effect: path === "a/b" ? "allow" : "deny", rule: "x", source: "y", reason: "z" } as const;
    };
    expect(decideCommand(ordinary, "ls > ./a//b", { decideRedirect }).effect).toBe("allow");
    expect(decideCommand(ordinary, "ls > a/b; ls >> c 2>/dev/null", { decideRedirect })).toMatchObject({
      effect: "deny",
      rule: "x",
    });
    expect(seen).toEqual(["a/b", "a/b", "c"]);
  });
});
