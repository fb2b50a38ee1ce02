import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "./account.ts";

/**
 * The files that bubblewrap reads out of descriptors: a new one for every command, since it reads each to its end. They
 * are kept by what is in them, so that an older Sheaf's are never taken for ours.
 */
export interface KeptFiles {
  /** Hands `use` one open descriptor for each, in order, and closes them when it returns. */
  open<T>(use: (descriptors: readonly number[]) => T): T;
}

/** `contents` are ours, kept below `folder`; `copied` are files of the machine, which follow them. */
export function keepFiles(
  folder: string,
  { contents, copied }: { contents: readonly (Buffer | string)[]; copied: readonly string[] },
): KeptFiles {
  const own = contents.map((content) => ({ content, path: join(folder, digest(content)) }));
  const files: KeptFile[] = [...own, ...copied.map((path) => ({ content: undefined, path }))];
  return {
    open(use) {
      const descriptors: number[] = [];
      try {
        for (const file of files) descriptors.push(openKept(file));
        return use(descriptors);
      } finally {
        for (const descriptor of descriptors) closeSync(descriptor);
      }
    },
  };
}

function digest(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

interface KeptFile {
  path: string;
  content: Buffer | string | undefined;
}

/** What the machine's owner took away since is empty; what is ours is written anew. */
function openKept({ path, content }: KeptFile): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    if (content === undefined) return openSync("/dev/null", "r");
    write(path, content);
    return openSync(path, "r");
  }
}

function write(path: string, content: Buffer | string): void {
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
}

/** What a command sees in /etc of people and names: itself, and this machine by no name of its own. */
export function accountFiles({ uid, gid }: Account): { name: string; content: string }[] {
  return [
    {
      name: "passwd",
      content: `root:x:0:0:root:/nonexistent:/bin/false\nsheaf:x:${uid}:${gid}:Sheaf:/home/sheaf:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n`,
    },
    { name: "group", content: `root:x:0:\nsheaf:x:${gid}:\nnogroup:x:65534:\n` },
    { name: "hosts", content: "127.0.0.1 localhost sheaf\n::1 localhost\n" },
    { name: "nsswitch.conf", content: "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n" },
  ];
}
