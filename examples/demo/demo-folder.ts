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
}

const prefix = "sheaf-demo-";
const marker = ".sheaf-demo";

export async function openDemoFolder(): Promise<DemoFolder> {
  await removeEarlier();
  const root = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(root, marker), `${process.pid}\n`);
  const home = join(root, "home");
  await mkdir(home);
  return { root, home };
}

export async function removeDemoFolder({ root }: DemoFolder): Promise<void> {
  await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

async function removeEarlier(): Promise<void> {
  const entries = await readdir(tmpdir(), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix)).map(({ name }) => name);
  for (const name of names) {
    const root = join(tmpdir(), name);
    if (await isLeftOver(root)) await removeDemoFolder({ root, home: root });
  }
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
