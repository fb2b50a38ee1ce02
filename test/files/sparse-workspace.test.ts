import { chmodSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFiles } from "../../src/files/files.ts";
import { createWorkspace } from "../../src/workspace/workspace.ts";
import { playground } from "../workspace/playground.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("files over a real sparse workspace leave exactly the tree that the same changes make", async () => {
  await using ground = playground();
  for (const path of ["src/a.ts", "lib/one.ts", "lib/two.ts", "bin/run", "odd/n\nl", "odd/back\\slash"]) {
    ground.write(path, `${path}\n`);
  }
  chmodSync(join(ground.user, "bin/run"), 0o755);
  symlinkSync("lib", join(ground.user, "link"));
  const { tree } = ground.commit();
  const directory = join(ground.folder, "w");
  const workspace = await createWorkspace(await ground.open(), { directory, tree, files: ["src/a.ts"] });
  const base = {
    fetch: (path: string, want: "read" | "materialise") =>
      want === "read" ? workspace.fetch(path, 1_000) : workspace.materialise(path),
    names: (prefix: string) => workspace.names(prefix, 1_000),
  };
  const { root, scratch } = workspace;
  const files = openFiles({ root, scratch, base, isCaseInsensitive: false });

  const [one, gone] = await files.resolveAll(["link/one.ts", "nothing/here"]);
  expect(one).toMatchObject({ canonical: "lib/one.ts", viaLinks: ["link/one.ts"], kind: "file" });
  expect(gone).toMatchObject({ exists: false });
  expect(await files.read("odd/n\nl", 100)).toMatchObject({ bytes: expect.any(Uint8Array) });
  expect(existsSync(join(root, "odd"))).toBe(false);

  expect(await files.remove("lib/two.ts")).toEqual({ mode: "100644" });
  expect(await files.remove("link")).toEqual({ mode: "120000" });
  const changes = ["bin/run", "lib/one.ts", "new/x", "odd/back\\slash"].map((path) => ({
    path,
    content: bytes("new\n"),
  }));
  expect(await files.writeAll(changes)).toMatchObject({ written: [{ isExecutable: true }, {}, { isNew: true }, {}] });
  expect(await files.read("lib/two.ts", 100)).toMatchObject({ refused: expect.stringContaining("does not exist") });
  const everything = { enters: () => true, takes: () => true, most: 100 };
  const names = (await files.walk("", everything)).entries.map((entry) => entry.path);
  expect(names).toEqual(["bin/run", "lib/one.ts", "new/x", "odd/back\\slash", "odd/n\nl", "src/a.ts"]);

  for (const { path } of changes) ground.write(path, "new\n");
  ground.git("rm", "-q", "lib/two.ts", "link");
  expect((await workspace.takeTree()).tree).toBe(ground.commit().tree);
});
