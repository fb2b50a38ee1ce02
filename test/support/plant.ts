import type { Repository } from "../../src/workspace/repository.ts";

/** Trees for tests, written straight into a repository by one `git fast-import`. */
export interface PlantedFile {
  /** `100644` when left out; a submodule (`160000`) has its commit id as content. */
  mode?: string;
  content: string | Uint8Array;
}

/** Paths are text, or bytes in latin1 when `isRaw`. */
export type PlantedTree = ReadonlyMap<string, PlantedFile>;

export interface Planted {
  commit: string;
  tree: string;
}

/** The first tree is the parent of all the others, unless `parents` names another by its index. */
export async function plant(
  repository: Pick<Repository, "git" | "gitDir" | "objects">,
  trees: readonly PlantedTree[],
  options: { isRaw?: boolean; parents?: readonly number[] } = {},
): Promise<Planted[]> {
  const parts: Buffer[] = [];
  const say = (text: string) => parts.push(Buffer.from(text));
  for (const [index, tree] of trees.entries()) {
    say(`commit refs/planted/${index}\nmark :${index + 1}\ncommitter T <t@t> 1700000000 +0000\ndata 0\n`);
    say(index === 0 ? "deleteall\n" : `from :${(options.parents?.[index] ?? 0) + 1}\ndeleteall\n`);
    for (const [path, file] of tree) {
      const name = quoted(Buffer.from(path, options.isRaw ? "latin1" : "utf8"));
      parts.push(...(file.mode === "160000" ? gitlinkOf(name, file) : blobOf(name, file)));
    }
    say(`get-mark :${index + 1}\n`);
  }
  say("done\n");
  const { gitDir } = repository;
  const args = ["fast-import", "--quiet", "--force", "--done"];
  const { stdout } = await repository.git(args, { gitDir, input: Buffer.concat(parts) });
  const commits = stdout.toString().trim().split("\n");
  return Promise.all(
    commits.map(async (commit) => {
      const found = await repository.objects.info(`${commit}^{tree}`);
      return { commit, tree: found?.oid ?? "" };
    }),
  );
}

function gitlinkOf(name: Buffer, file: PlantedFile): Buffer[] {
  return [Buffer.from(`M 160000 ${file.content} `), name, Buffer.from("\n")];
}

function blobOf(name: Buffer, file: PlantedFile): Buffer[] {
  const content = Buffer.from(file.content);
  const mode = file.mode ?? "100644";
  return [
    Buffer.from(`M ${mode} inline `),
    name,
    Buffer.from(`\ndata ${content.length}\n`),
    content,
    Buffer.from("\n"),
  ];
}

function quoted(bytes: Buffer): Buffer {
  const escaped = [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return Buffer.from(`"${escaped}"`);
}
