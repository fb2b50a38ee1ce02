import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { prepareTemplate } from "../../src/db/template.ts";

/**
 * The program as npm installs it: compiled, with its migrations and the template of its database. Made aside, so that
 * what stands in dist/ of the checkout neither counts nor is touched.
 */
export interface InstalledProgram {
  /** Where its package.json is. */
  folder: string;
  /** The words that start it. */
  command: readonly string[];
}

const root = join(import.meta.dirname, "../..");

export async function installProgram(folder: string): Promise<InstalledProgram> {
  await mkdir(join(folder, "dist"), { recursive: true });
  for (const linked of ["node_modules", "migrations"]) await symlink(join(root, linked), join(folder, linked));
  await cp(join(root, "package.json"), join(folder, "package.json"));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const project = join(root, "tsconfig.build.json");
  // Whether the types are right is not what is measured.
  const options = ["-p", project, "--noCheck", "--outDir", join(folder, "dist")];
  await promisify(execFile)(process.execPath, [compiler, ...options]);
  await cp(join(root, "dist/template"), join(folder, "dist/template"), { recursive: true }).catch(() => {});
  await prepareTemplate({ template: join(folder, "dist/template"), migrations: join(root, "migrations") });
  return { folder, command: [process.execPath, join(folder, "dist/src/bin.js")] };
}
