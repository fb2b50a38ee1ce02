import { createHash } from "node:crypto";
import { quoted } from "../document/found.ts";
import { Fault } from "../protocol/failure.ts";
import { type AgentFile, readAgentFile } from "./agent-file.ts";

/** The agent files of one tree, by path from its root. */
export interface AgentFiles {
  /** Undefined where the tree has no ordinary file of that path. */
  read(path: string): Promise<string | undefined>;
  /** Those that lie where agents are known without being named. */
  list(): Promise<readonly string[]>;
}

/** An agent that a file of the repository defines. */
export interface RepositoryAgent extends AgentFile {
  file: { path: string; sha256: string };
}

/**
 * What the repository's own files define. Each is read when somebody names it, and then strictly: a broken file that
 * nobody names stops no job.
 */
export interface RepositoryAgents {
  /** False where no repository is at hand: then nothing is known to be missing. */
  isAtHand: boolean;
  /** The file at `path`; undefined where there is none. Throws Fault with the place in the file. */
  at(path: string): Promise<RepositoryAgent | undefined>;
  /** By the `name` in its front matter. Throws Fault where two files have it, or the file is broken. */
  named(name: string): Promise<RepositoryAgent | undefined>;
  /** The names of all, broken ones too, in order. */
  names(): Promise<readonly string[]>;
}

export function openRepositoryAgents(files: AgentFiles | undefined): RepositoryAgents {
  const texts = new Map<string, Promise<string | undefined>>();
  const read = (path: string) => {
    const reading = texts.get(path) ?? Promise.resolve(files?.read(path));
    texts.set(path, reading);
    return reading;
  };
  let listing: Promise<Map<string, string[]>> | undefined;
  const byName = () => {
    listing ??= files ? namesOf(files, read) : Promise.resolve(new Map());
    return listing;
  };
  const at: RepositoryAgents["at"] = async (path) => {
    const text = await read(path);
    return text === undefined ? undefined : { ...readAgentFile(text, path), file: { path, sha256: sha256(text) } };
  };
  return {
    isAtHand: files !== undefined,
    at,
    async named(name) {
      const [path, another] = (await byName()).get(name) ?? [];
      if (path === undefined || another === undefined) return path === undefined ? undefined : at(path);
      throw new Fault("job_file", `the agent ${quoted(name)} is defined twice: in ${path} and in ${another}`, {
        remedy: `say which: agents: { ${name}: { use: ${path} } }`,
      });
    },
    names: async () => [...(await byName()).keys()].sort(),
  };
}

/** A repository with more is looked at no further; each is at most what an agent file may have. */
const mostFiles = 500;
/** Characters of all files that are read for their names: those after them go by the names of their files. */
const mostForNames = 8_000_000;
/** A name stands at the beginning. */
const mostOfHead = 65_536;

async function namesOf(
  files: AgentFiles,
  read: (path: string) => Promise<string | undefined>,
): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  let left = mostForNames;
  for (const path of [...(await files.list())].sort().slice(0, mostFiles)) {
    const text = left > 0 ? await read(path).catch(unreadable) : undefined;
    left -= text?.length ?? 0;
    const name = nameIn(text?.slice(0, mostOfHead)) ?? path.replace(/^.*\/|\.md$/g, "");
    names.set(name, [...(names.get(name) ?? []), path]);
  }
  return names;
}

/** Whoever names it is told why. */
function unreadable(thrown: unknown): string {
  if (thrown instanceof Fault) return "";
  throw thrown;
}

/** Only to find it by: the file is read as YAML when somebody wants it. */
function nameIn(text = ""): string | undefined {
  const front = /(?<![\s\S])\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---/m.exec(text)?.[1];
  return /^name:[ \t]*(["']?)([A-Za-z0-9._-]+)\1[ \t]*(?:#.*)?\r?$/m.exec(front ?? "")?.[2];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
