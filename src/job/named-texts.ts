import { relative, resolve } from "node:path";
import { quoted } from "../document/found.ts";
import { readText } from "../document/read-text.ts";
import { Fault, type FaultCode } from "../protocol/failure.ts";

/** The texts of the files a job names: beside the job file, or sent along with it. */
export interface NamedTexts {
  /** Throws Fault with `code` for a file that is not there, no text, or of more than `maxBytes` (default 1 MB). */
  read(name: string, code: FaultCode, maxBytes?: number): Promise<string>;
  /** What errors call it. */
  shown(name: string): string;
  /** Two names of one file have one identity. */
  identity(name: string): string;
}

/** Files of the disk, relative to `folder`; errors name them relative to `cwd`. */
export function textsOnDisk({ folder, cwd }: { folder: string; cwd: string }): NamedTexts {
  const identity = (name: string) => resolve(folder, name);
  const shown = (name: string) => shownPath(identity(name), cwd);
  return {
    identity,
    shown,
    read: (name, code, maxBytes) =>
      readText(identity(name), { file: shown(name), code, ...(maxBytes === undefined ? {} : { maxBytes }) }),
  };
}

/** Texts that came with the job. Nothing is read from any disk. */
export function textsGiven(files: Readonly<Record<string, string>>): NamedTexts {
  return {
    identity: (name) => name,
    shown: (name) => name,
    async read(name, code) {
      const text = Object.hasOwn(files, name) ? files[name] : undefined;
      if (text !== undefined) return text;
      throw new Fault(code, `files has no text of ${quoted(name)}`, { remedy: "send it: files: { NAME: TEXT }" });
    },
  };
}

/** The same texts, each read once; `seen` gets them by every name they were asked for. */
export function textsNoted(texts: NamedTexts, seen: Map<string, string>): NamedTexts {
  const known = new Map<string, string>();
  return {
    shown: texts.shown,
    identity: (name) => name,
    async read(name, code, maxBytes) {
      const identity = texts.identity(name);
      const text = known.get(identity) ?? (await texts.read(name, code, maxBytes));
      known.set(identity, text);
      seen.set(name, text);
      return text;
    },
  };
}

/** A path as people would type it: relative to where they are, unless it is elsewhere. */
export function shownPath(absolute: string, cwd: string): string {
  const short = relative(cwd, absolute);
  return short === "" || short.split(/[\\/]/)[0] === ".." ? absolute : short;
}
