import { z } from "zod";
import { readDocument } from "../document/read-document.ts";
import { basenameOf } from "./folders.ts";
import { type Layout, type Manifest, memberTest, readManifest, record, text, texts } from "./manifest.ts";

/** `workspaces` of npm, Yarn and Bun, and pnpm's own file. */
export const npmLayout: Layout = {
  isManifest: (path) => isPnpm(path) || basenameOf(path) === "package.json",
  read: (path, content) => (isPnpm(path) ? readPnpm(path, content) : readPackage(path, content)),
};

function isPnpm(path: string): boolean {
  return /^pnpm-workspace\.ya?ml$/.test(basenameOf(path));
}

function readPackage(path: string, content: string): Manifest {
  const read = readManifest(path, (): unknown => JSON.parse(content.replace(/^\uFEFF/, "")));
  const { name, workspaces } = record(read);
  const written = text(name);
  const globs = Array.isArray(workspaces) ? texts(workspaces) : texts(record(workspaces).packages);
  return {
    isPackage: true,
    ...(written === undefined ? {} : { name: written }),
    ...(globs.length > 0 ? { hasMember: memberTest(globs) } : {}),
  };
}

const pnpm = z.looseObject({ packages: z.array(z.string()).nullish() });

function readPnpm(path: string, content: string): Manifest {
  const parse = () => readDocument(content, { file: path, schema: pnpm, code: "job_file" }).value;
  const globs = readManifest(path, parse)?.packages ?? [];
  return { isPackage: false, ...(globs.length > 0 ? { hasMember: memberTest(globs) } : {}) };
}
