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

export function keepFiles(folder: string, contents: readonly (Buffer | string)[]): KeptFiles {
  const files = contents.map((content) => ({ content, path: join(folder, digest(content)) }));
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

function openKept(file: { content: Buffer | string; path: string }): number {
  try {
    return openSync(file.path, "r");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    write(file);
    return openSync(file.path, "r");
  }
}

function write({ content, path }: { content: Buffer | string; path: string }): void {
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
