import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toFailure } from "../../src/protocol/failure.ts";
import { accountOf } from "../../src/sandbox/account.ts";
import { settingsAmong } from "../../src/sandbox/system-folders.ts";
import { toolFolders } from "../../src/sandbox/tool-folders.ts";
import { openSandboxed } from "../support/sandboxed.ts";

let root: string;
let home: string;
let listener: Server;
beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-tools-")));
  chmodSync(root, 0o755);
  home = join(root, "home/me");
  const folders = [
    "tools/one/bin",
    "tools/one/lib",
    "home/me/.local/bin",
    "home/me/.local/lib",
    "home/me/bin",
    "home/me/lib",
  ];
  folders.push(
    "home/me/.nvm/v1/bin",
    "home/me/.nvm/v1/lib",
    "home/me/.pyenv/shims",
    "home/me/.pyenv/libexec",
    "data/bin",
    "keys/bin",
  );
  folders.push("listens", "keys/lib", "keys/.ssh", "package/node_modules/.bin", "plain");
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  symlinkSync(join(root, "tools/one/bin"), join(root, "link"));
  writeFileSync(join(root, "tools/one/bin/greet"), "#!/bin/sh\ncat $(dirname $0)/../lib/words\n", { mode: 0o755 });
  writeFileSync(join(root, "tools/one/lib/words"), "hello\n");
  listener = createServer().listen(join(root, "listens/socket"));
  await once(listener, "listening");
});
afterAll(() => {
  listener.close();
  rmSync(root, { recursive: true });
});

const at = (...names: string[]) => names.map((name) => join(root, name));
const find = (path: string[], read: string[] = []) =>
  toolFolders({
    path: path.join(":"),
    home,
    dataFolder: join(root, "data"),
    packageFolder: join(root, "package"),
    read,
  });

describe("the tools that commands see", () => {
  it("are those on the operator's PATH, with what their version manager put beside them", () => {
    const { folders, path } = find([
      "/usr/bin",
      ...at("tools/one/bin", "home/me/.nvm/v1/bin", "home/me/.pyenv/shims", "plain"),
      "/bin",
    ]);
    const seen = at("plain", "tools/one", "home/me/.pyenv", "home/me/.nvm/v1");
    expect(folders.map(({ place }) => place).toSorted()).toEqual(seen.toSorted());
    expect(path).toBe(
      ["/usr/bin", ...at("tools/one/bin", "home/me/.nvm/v1/bin", "home/me/.pyenv/shims", "plain"), "/bin"].join(":"),
    );
  });

  it("are never a home, keys, Sheaf's own data or its own tools", () => {
    const { folders, path } = find(
      at("home/me/bin", "home/me/.local/bin", "data/bin", "keys/bin", "package/node_modules/.bin", "absent", "listens"),
    );
    expect(folders.map(({ source }) => source).toSorted()).toEqual(
      at("home/me/.local/bin", "home/me/bin", "keys/bin").toSorted(),
    );
    expect(path.split(":")).toEqual(at("home/me/bin", "home/me/.local/bin", "keys/bin"));
    for (const one of [root, home, join(home, ".local"), join(root, "home"), "/", "/etc", "/proc", "/root", "/tmp"]) {
      expect(find([one]).folders).toEqual([]);
    }
    expect(find(["", "bin", "."]).path).toBe("/usr/local/bin:/usr/bin:/bin");
  });

  it("are shown where a link has them, from where they are", () => {
    expect(find(at("link")).folders).toEqual([{ source: join(root, "tools/one/bin"), place: join(root, "link") }]);
  });

  it.each([
    [() => "/usr/..", "cover"],
    [() => "/etc", "cover"],
    [() => root, "Sheaf's own data"],
    [() => join(root, "absent"), "not there"],
    [() => join(root, "listens"), "holds a socket"],
  ])("are refused where the operator names what cannot be shown", (folder, why) => {
    const thrown = toFailure(tried(() => find([], [folder()])));
    expect(thrown).toMatchObject({
      code: "configuration",
      message: expect.stringContaining(why),
      remedy: expect.any(String),
    });
  });

  it("run inside, and cannot be changed there", async () => {
    using box = openSandboxed({ path: `${join(root, "tools/one/bin")}:/usr/bin:/bin`, read: at("plain"), home });
    expect(await box.say("greet")).toBe("hello");
    const places = at("tools/one/bin/greet", "tools/one/new", "plain/new").join(" ");
    expect(await box.say(`for p in ${places}; do (echo x > $p) 2>/dev/null && echo $p; done`)).toBe("");
    expect(await box.say(`ls ${home} ${join(root, "keys")} 2>/dev/null`)).toBe("");
  });
});

describe("the settings of /etc that commands see", () => {
  it("are of the languages' command lines, and hold no password for a registry", () => {
    const etc: Record<string, string[]> = {
      "/etc": ["java-17-openjdk", "php", "php83", "php-fpm.d"],
      "/etc/php": ["8.2"],
    };
    const places = settingsAmong((folder) => etc[folder] ?? []);
    expect(places).toEqual(
      expect.arrayContaining([
        "/etc/java-17-openjdk",
        "/etc/maven/m2.conf",
        "/etc/R/ldpaths",
        "/etc/php/8.2/cli",
        "/etc/php/8.2/mods-available",
        "/etc/php83/conf.d",
      ]),
    );
    for (const kept of ["/etc/maven/settings.xml", "/etc/R/Renviron.site", "/etc/npmrc", "/etc/php/8.2/fpm/pool.d"]) {
      expect(places.filter((place) => kept === place || kept.startsWith(`${place}/`))).toEqual([]);
    }
  });
});

describe("the account that commands run as", () => {
  const root_ = { uid: 0, gid: 0 };
  it("is Sheaf's own, where that is not root", () => {
    expect(accountOf("nobody", { uid: 1000, gid: 100 })).toEqual({ uid: 1000, gid: 100, isOther: false });
  });

  it("is one without a name, or the one that the operator names or numbers", () => {
    expect(accountOf(undefined, root_)).toEqual({ uid: 62_000, gid: 62_000, isOther: true });
    expect(accountOf("61999", root_)).toEqual({ uid: 61_999, gid: 61_999, isOther: true });
    expect(accountOf("nobody", root_)).toMatchObject({ uid: 65_534, isOther: true });
    expect(accountOf("65534", root_)).toEqual(accountOf("nobody", root_));
  });

  it.each(["root", "0", "00", "no-such-account"])("is never %s", (user) => {
    expect(toFailure(tried(() => accountOf(user, root_)))).toMatchObject({
      code: "configuration",
      remedy: expect.any(String),
    });
  });
});

function tried(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
}
