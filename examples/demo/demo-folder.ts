import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The one folder a demo writes to, among the temporary files. It stays until the next demo, so that what was printed
 * can be tried; the folder of a demo that is still running, or of somebody else, is never removed.
 */
export interface DemoFolder {
  root: string;
  /** SHEAF_HOME of this demo. */
  home: string;
  /** A demo before it was killed in the middle: its job is in there, and goes on. */
  isGoingOn: boolean;
}

const prefix = "sheaf-demo-";
const marker = ".sheaf-demo";
/** While a job runs in there, what it is: the words that the demo was called with. */
const unfinished = ".unfinished";

/** `story`: what this demo is to show. One of the same that never came to its end is gone on with. */
export async function openDemoFolder(story: string): Promise<DemoFolder> {
  const left = await removeEarlier(story);
  const root = left ?? (await mkdtemp(join(tmpdir(), prefix)));
  await writeFile(join(root, marker), `${process.pid}\n`);
  await writeFile(join(root, unfinished), story);
  const home = join(root, "home");
  await mkdir(home, { recursive: true });
  return { root, home, isGoingOn: left !== undefined };
}

/** It came to its end: the next one begins anew. */
export async function endDemo({ root }: DemoFolder): Promise<void> {
  await rm(join(root, unfinished), { force: true });
}

export async function removeDemoFolder({ root }: Pick<DemoFolder, "root">): Promise<void> {
  await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** All but one that was left in the middle of the same story; returns that. */
async function removeEarlier(story: string): Promise<string | undefined> {
  const entries = await readdir(tmpdir(), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix)).map(({ name }) => name);
  let goingOn: string | undefined;
  for (const name of names) {
    const root = join(tmpdir(), name);
    if (!(await isLeftOver(root))) continue;
    const inMiddle = await readFile(join(root, unfinished), "utf8").catch(() => undefined);
    if (goingOn === undefined && inMiddle === story) goingOn = root;
    else await removeDemoFolder({ root });
  }
  return goingOn;
}

/** Ours, and nobody runs in it any more. */
async function isLeftOver(root: string): Promise<boolean> {
  try {
    const { uid } = await lstat(root);
    const pid = Number(await readFile(join(root, marker), "utf8"));
    return uid === (process.getuid?.() ?? uid) && Number.isInteger(pid) && pid > 0 && !isRunning(pid);
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
