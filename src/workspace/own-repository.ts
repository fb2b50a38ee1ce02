import { createHash } from "node:crypto";
import { appendFile, chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Discovered } from "./discover.ts";
import type { Git } from "./git.ts";
import { isThere, makeBare, readByCommands } from "./make-bare.ts";
import { readPlain } from "./plain-file.ts";
import { quoted, toRaw } from "./raw-path.ts";

/**
 * Our own bare repository for one repository of the user: it borrows the user's objects and holds everything of ours.
 * It never has a remote, a hook, a filter or a reflog, and nothing in the user's repository points at it.
 */
export async function ownRepository(git: Git, home: string, found: Discovered): Promise<string> {
  const suffix = found.objectFormat === "sha1" ? "" : "-sha256";
  const key = createHash("sha256").update(found.user.commonDir).digest("hex");
  const gitDir = join(home, "repositories", `${key}${suffix}.git`);
  if (!(await isThere(gitDir))) await make(git, gitDir, found);
  await chmod(gitDir, readByCommands);
  await refresh(gitDir, found);
  return gitDir;
}

async function make(git: Git, gitDir: string, found: Discovered): Promise<void> {
  await makeBare(git, gitDir, found, async (draft) => {
    await appendFile(join(draft, "config"), settings);
    await refresh(draft, found);
  });
}

/** Lines of a configuration, for git commands that a check runs in one of our working trees, past our own door. */
export const settings = `[gc]
	auto = 0
[maintenance]
	auto = false
[core]
	hooksPath = /dev/null
	autocrlf = false
	logAllRefUpdates = false
[user]
	name = Sheaf
	email = sheaf@localhost
`;

/** Bytes in a blob are the bytes in a file, whatever the attributes in the tree ask for. */
const neutral = "* -text -eol -filter -ident -working-tree-encoding -crlf\n";

async function refresh(gitDir: string, found: Discovered): Promise<void> {
  await mkdir(join(gitDir, "info"), { recursive: true });
  await put(join(gitDir, "objects", "info", "alternates"), `${alternate(found.user.commonDir)}\n`);
  await put(join(gitDir, "info", "attributes"), neutral);
  await mirror(join(found.user.commonDir, "info", "exclude"), join(gitDir, "info", "exclude"));
  await mirror(join(found.user.commonDir, "shallow"), join(gitDir, "shallow"));
}

/** One line of `objects/info/alternates`, quoted where a name would be read as something else. */
function alternate(commonDir: string): string {
  const path = join(commonDir, "objects");
  return /[\n\r"\\]|^#/.test(path) ? quoted(toRaw(path)) : path;
}

async function mirror(from: string, to: string): Promise<void> {
  const bytes = await readPlain(from);
  if (bytes) await put(to, bytes);
  else await rm(to, { force: true });
}

/** Whole or not at all, and not at all where it is so already. */
async function put(path: string, content: string | Buffer): Promise<void> {
  const wanted = Buffer.from(content);
  if ((await readFile(path).catch(absent))?.equals(wanted)) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(`${path}.`);
  await writeFile(join(draft, "content"), wanted);
  await rename(join(draft, "content"), path);
  await rm(draft, { recursive: true });
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
  return undefined;
}
