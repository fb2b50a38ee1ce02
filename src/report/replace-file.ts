import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Puts a file in place whole or not at all: a reader sees the old one or the new one. `random` makes a name nobody has. */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  random: (count: number) => Uint8Array,
): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.${Buffer.from(random(6)).toString("hex")}.tmp`);
  try {
    await writeFile(draft, content, { flag: "wx" });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
