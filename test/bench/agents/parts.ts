import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files that one agent reads and edits. */
const filesPerPart = 4;

export function filesOfPart(part: string): string[] {
  return Array.from({ length: filesPerPart }, (_, index) => `${part}/file-${index + 1}.js`);
}

/** Plain files of about 1 kB, one line of which an agent changes. */
export function writeParts(directory: string, parts: number): void {
  for (let index = 0; index < parts; index++) {
    mkdirSync(join(directory, `part-${index}`), { recursive: true });
    for (const path of filesOfPart(`part-${index}`)) writeFileSync(join(directory, path), textOf(path));
  }
}

function textOf(path: string): string {
  const lines = Array.from({ length: 20 }, (_, line) => `export const value${line} = compute("${path}", ${line * 7});`);
  return `const limit = 10;\n\n${lines.join("\n")}\n\nfunction compute(name, value) {\n  return value % limit;\n}\n`;
}
