import { describe, expect, it } from "vitest";
import { neverAdmitted } from "../../src/permission/command-danger.ts";
import { decideCommand } from "../../src/permission/decide-command.ts";
import { bashScope } from "../support/bash-scope.ts";

/** Whether a rule about these first words admits the command. */
function admits(rule: string, command: string): boolean {
  const rules = rule.split(" + ").map((words) => `Bash(${words}:*)`);
  return decideCommand(bashScope({ allow: rules }), command).effect === "allow";
}

describe("a rule about the first words", () => {
  it.each([
    ["node", "node --trace-event-categories v8 -e 'code'"],
    ["node", "node --trace-event-file-pattern x.js -e 'code'"],
    ["node", "node --import ./x.js a.js"],
    ["node", "node --import tsx -e 1"],
    ["node", "node --import=data:text/javascript,x a.js"],
    ["git", "git -C one/bare status"],
    ["git status", "git -C one/bare status"],
    ["git status + cd", "cd one/bare && git status"],
    ["git status + cd", "cd one/bare && timeout 5 git status"],
    ["git -C one", "git -C one -C bare status"],
    ["git", "git mv bare sub/.git"],
    ["git config", "git config user.name x"],
    ["cmake --build", "cmake --build build -- --eval='$(shell touch x)'"],
    ["cmake --build", "cmake --build build -- SHELL=./e.sh"],
    ["cmake --build", "cmake --build build -- -f evil.mk"],
    ["cmake --build", "cmake --build build -- -C ../x"],
    ["cmake", "cmake -DCMAKE_C_COMPILER_LAUNCHER=x -B build"],
    ["cmake", "cmake -D CMAKE_C_COMPILER=x -B build"],
    ["cmake", "cmake -B /tmp/x"],
    ["make", "make -C ../x"],
    ["make", "make -kC /tmp/x"],
    ["make", "make -C sub -f x"],
    ["ninja", "ninja -C /tmp/x"],
    ["ninja", "ninja -f x"],
    ["prove", "prove --exec 'touch x'"],
    ["json_pp", "json_pp -f eval"],
    ["diff3", "diff3 --diff-program=./e.sh f f f"],
    ["sdiff", "sdiff --diff-prog=./e.sh f f"],
    ["cpp", "cpp -wrapper ./e.sh,x a.c"],
    ["x86_64-linux-gnu-gcc", "x86_64-linux-gnu-gcc -wrapper ./e.sh,x a.c"],
    ["aarch64-linux-gnu-g++-12", "aarch64-linux-gnu-g++-12 -wrapper ./e.sh,x a.c"],
    ["gcc", "gcc -Wl,-plugin,./x.so a.c"],
    ["pyenv", "pyenv exec touch x"],
    ["yarn", "yarn workspaces foreach -A exec touch x"],
    ["mvn", "mvn test --define jvm=./e.sh"],
    ["./mvnw", "./mvnw -Djvm=./e.sh test"],
    ["./gradlew", "./gradlew --init-script evil.gradle"],
    ["dotnet build", "dotnet build -p:PreBuildEvent='touch x'"],
    ["javac", "javac -J-XX:OnOutOfMemoryError=x A.java"],
    ["protoc", "protoc --plugin=protoc-gen-x=./e.sh a.proto"],
    ["meson", "meson test --wrapper=x"],
    ["mix", "mix run -e x"],
    ["rename", "rename 'code' a"],
    ["mlr", "mlr -n put 'end{system(\"x\")}'"],
    ["npx rollup", "npx rollup -p '{a:1}'"],
    ["helm", "helm template . --post-renderer ./e.sh"],
    ["kubectl", "kubectl get pods --kubeconfig=evil.yaml"],
    ["rustdoc", "rustdoc --test x.rs --runtool ./e.sh"],
    ["bazel test", "bazel test --shell_executable=./e.sh //..."],
    ["py.test", "py.test -p evil"],
    ["pytest-3", "pytest-3 -pevil"],
    ["pytest", "pytest @file"],
    ["pytest", "pytest -p no:x -p evil"],
    ["cargo", "cargo test --manifest-path=/tmp/x/Cargo.toml"],
    ["cargo rustc", "cargo rustc -- -C linker=./e.sh"],
    ["coverage", "coverage run -m code"],
    ["tox", "tox -e py -- x"],
    ["tox", "tox -x testenv.commands=x"],
    ["nox", "nox -s tests -- x"],
    ["uvx", "uvx x"],
    ["npm", "npm -w web exec x"],
    ["npm", "npm -w ../x test"],
    ["pnpm", "pnpm --filter web exec x"],
    ["rustup", "rustup run stable x"],
    ["opam", "opam exec -- x"],
    ["stack", "stack exec -- x"],
    ["lerna", "lerna exec -- x"],
    ["nvm", "nvm exec 18 x"],
    ["volta", "volta run x"],
    ["doppler", "doppler run -- x"],
    ["ghc", "ghc -e x"],
    ["ocaml", "ocaml -e x"],
    ["nim", "nim e x"],
    ["crystal", "crystal eval x"],
    ["coffee", "coffee -e x"],
    ["bb", "bb -e x"],
    ["clojure", "clojure -e x"],
    ["clojure", "clojure -M -e x"],
    ["qjs", "qjs -e x"],
    ["swift", "swift -e x"],
    ["swift build", "swift build -Xswiftc x"],
    ["swiftc", "swiftc -load-plugin-executable ./x#y a.swift"],
    ["c++-12", "c++-12 -wrapper x a.c"],
    ["zx", "zx --eval x"],
    ["bb", "bb '(shell \"x\")'"],
    ...["c8", "nyc", "corepack", "env-cmd", "aa-exec", "uclampset", "uname26", "systemd-cat", "systemd-inhibit"].map(
      (program) => [program, `${program} touch x`],
    ),
    ...["numactl", "dbus-launch", "run-one", "proot", "cross-env-shell"].map((program) => [
      program,
      `${program} touch x`,
    ]),
    ["cargo-watch", "cargo-watch -s x"],
    ["nodemon", "nodemon --exec=x"],
  ])("%s does not admit %s", (rule, command) => {
    expect(admits(rule, command)).toBe(false);
  });

  it.each([
    ["mvn", "mvn -B -ntp verify"],
    ["mvn", "mvn test -Dtest=FooTest#bar -DfailIfNoTests=false"],
    ["./mvnw", "./mvnw -q test"],
    ["./gradlew", "./gradlew test --tests com.x.Foo --info"],
    ["cmake", "cmake -S . -B build -DCMAKE_BUILD_TYPE=Debug"],
    ["cmake", "cmake -Bbuild -DENABLE_X:BOOL=ON"],
    ["cmake", "cmake -G Ninja -B build -D BUILD_TESTING=ON"],
    ["cmake --build", "cmake --build build -j4 --target x -- -k all"],
    ["ninja", "ninja -C build test"],
    ["make", "make -C sub test -j4"],
    ["pytest", "pytest -n auto --cov=src -p no:warnings"],
    ["node", "node --import tsx --test x.ts"],
    ["node", "node --import=tsx/esm a.ts"],
    ["node", "node --trace-warnings a.js"],
    ["node", "node --experimental-vm-modules node_modules/jest/bin/jest.js"],
    ["npm", "npm -w web test"],
    ["npm", "npm --workspace=web run build"],
    ["pnpm", "pnpm --filter web test"],
    ["pnpm", "pnpm -F @x/web run build"],
    ["cargo", "cargo --version"],
    ["tox", "tox -e py311"],
    ["nox", "nox -s tests"],
    ["uvx ruff", "uvx ruff check ."],
    ["git config", "git config --get remote.origin.url"],
    ["git -C packages/a", "git -C packages/a status"],
    ["dotnet test", "dotnet test --no-build -c Release -p:Configuration=Debug"],
    ["coverage", "coverage run -m pytest -q"],
    ["clojure", "clojure -M:test"],
    ["swift", "swift test --filter x"],
    ["stack", "stack test"],
    ["meson", "meson test -C build"],
    ["gcc", "gcc -Wall -O2 -o a a.c -lm -Wl,-rpath,x"],
    ["c8 vitest", "c8 vitest run"],
    ["npx c8 vitest", "npx c8 vitest run"],
  ])("%s admits %s", (rule, command) => {
    expect(admits(rule, command)).toBe(true);
  });

  it("loads where some commands that begin so are harmless", () => {
    const rules =
      "tox|nox|uvx ruff|git config|npx c8|npm -w web|git -C one|./mvnw|stack|rustup|cmake --build|swift|mlr";
    expect(rules.split("|").filter((words) => neverAdmitted(words.split(" ")) !== undefined)).toEqual([]);
  });
});

describe("where all is allowed and something denied", () => {
  it.each([
    "git -C packages/a log -3",
    "cd src && git status",
    "make -C sub test",
    "cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=Debug",
    "pytest -p no:cacheprovider",
    "stack test",
    "mvn -q -DskipTests=false test",
  ])("%s is not held to be open-ended", (command) => {
    expect(decideCommand(bashScope({ allow: ["Bash"], deny: ["Bash(git push:*)"] }), command).effect).toBe("allow");
  });

  it.each([
    "git -C packages/a bisect run x",
    "git -C packages/a difftool -x x",
    "cmake -DX=/y --build b -- SHELL=x",
    "c8 --all git push",
    "stack exec git push",
    "numactl -N 0 git push",
    "prove --exec x",
  ])("%s is", (command) => {
    expect(decideCommand(bashScope({ allow: ["Bash"], deny: ["Bash(git push:*)"] }), command).effect).toBe("deny");
  });
});
