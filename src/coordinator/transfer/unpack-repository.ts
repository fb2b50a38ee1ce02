import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../protocol/failure.ts";
import { type Git, unstartable } from "../../workspace/git.ts";
import { makeBare } from "../../workspace/make-bare.ts";
import { isObjectStore } from "../../workspace/object-store.ts";
import { settings } from "../../workspace/own-repository.ts";
import type { PackedRepository } from "./manifest.ts";
import { type Archive, readEntry } from "./read-archive.ts";

/**
 * The bare repository that was packed, anew. Its configuration is ours and not the archive's, and it borrows only from
 * a folder of objects that is there. Where none is, some of its refs may point at nothing until the user's repository is
 * opened the next time.
 */
export async function unpackRepository(
  packed: PackedRepository,
  archive: Archive,
  { home, git }: { home: string; git: Git },
): Promise<void> {
  const directory = join(home, packed.path);
  await makeBare(git, directory, { objectFormat: packed.object_format }, async (draft) => {
    if (packed.path.startsWith("repositories/")) await appendFile(join(draft, "config"), settings);
    await borrow(packed, draft);
    await indexPack(packed, archive, { gitDir: draft, git });
    // As git itself keeps many refs in one file (git-pack-refs); the form of each name was checked.
    const lines = packed.refs.map(({ name, oid }) => `${oid} ${name}\n`).join("");
    await writeFile(join(draft, "packed-refs"), lines);
    await writeFile(
      join(draft, "HEAD"),
      packed.head.startsWith("refs/") ? `ref: ${packed.head}\n` : `${packed.head}\n`,
    );
  });
}

async function borrow({ borrows }: PackedRepository, gitDir: string): Promise<void> {
  if (borrows === undefined || !(await isObjectStore(borrows))) return;
  await mkdir(join(gitDir, "objects", "info"), { recursive: true });
  await writeFile(join(gitDir, "objects", "info", "alternates"), `${borrows}\n`);
}

async function indexPack(
  packed: PackedRepository,
  archive: Archive,
  { gitDir, git }: { gitDir: string; git: Git },
): Promise<void> {
  if (packed.objects === 0) {
    for await (const _ of readEntry(archive, packed));
    return;
  }
  const child = git.start(["-c", "pack.threads=1", "index-pack", "--stdin"], { gitDir });
  const said: Buffer[] = [];
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => said.length < 16 && said.push(chunk));
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", (cause) => reject(unstartable(cause)));
    child.on("close", (code) => resolve(code ?? -1));
  });
  // git may leave before it has read everything; its exit code says why. A wrong hash is thrown.
  const fed = await pipeline(readEntry(archive, packed), child.stdin).catch((thrown: unknown) => thrown);
  const code = await ended;
  if (fed instanceof Fault) throw fed;
  if (code === 0) return;
  throw new Fault(
    "usage",
    `the objects of ${packed.path} in ${archive.file} cannot be read: ${Buffer.concat(said).toString().trim().slice(0, 300)}`,
  );
}
