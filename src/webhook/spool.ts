import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/**
 * What is still to be delivered, a file each, so that it outlives the process. Secrets are not in it: they are looked
 * up by address when it is sent. A file that is gone was somebody else's to deliver, or is delivered.
 */
const waiting = z.object({
  /** `webhook-id`. */
  id: z.string().regex(/^msg_[0-9a-f-]{36}$/),
  url: z.string(),
  body: z.string(),
  /** How often it was tried. */
  attempts: z.int().min(0),
  /** Milliseconds since the epoch: not before. */
  next_at: z.number(),
});
export type Waiting = z.infer<typeof waiting>;

export interface Spool {
  /** Whole or not at all. */
  put(delivery: Waiting): Promise<void>;
  get(id: string): Promise<Waiting | undefined>;
  remove(id: string): Promise<void>;
  /** Ids of all that wait, oldest first. */
  list(): Promise<string[]>;
  /** Nothing more is sent to this address; answers the file that says so, for whoever wants to undo it. */
  disable(url: string): Promise<string>;
  isDisabled(url: string): Promise<boolean>;
}

/** Made by its first file, 0700: a body names repositories and commits. */
export function openSpool(folder: string): Spool {
  const fileOf = (id: string) => join(folder, `${id}.json`);
  const mark = (url: string) => join(folder, `disabled-${createHash("sha256").update(url).digest("hex").slice(0, 16)}`);
  const write = async (file: string, text: string) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(`${file}.tmp`, text, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  };
  return {
    put: (delivery) => write(fileOf(delivery.id), JSON.stringify(delivery)),
    get: async (id) => parsed(await readFile(fileOf(id), "utf8").catch(() => "")),
    remove: (id) => rm(fileOf(id), { force: true }),
    async list() {
      const names = await readdir(folder).catch(() => []);
      // An id begins with its time (UUIDv7).
      return names.flatMap((name) => /^(msg_[0-9a-f-]{36})\.json$/.exec(name)?.[1] ?? []).sort();
    },
    async disable(url) {
      await write(mark(url), `${url}\n`);
      return mark(url);
    },
    isDisabled: (url) =>
      access(mark(url)).then(
        () => true,
        () => false,
      ),
  };
}

function parsed(text: string): Waiting | undefined {
  try {
    return waiting.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
