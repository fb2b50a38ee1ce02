import { close, closeSync, constants, open, openSync, readFile, readFileSync } from "node:fs";
import { promisify } from "node:util";

/**
 * The bytes of a file of a workspace that was looked at before, `size` long then. It waits for no FIFO and goes through
 * no link, whatever stands there now.
 */
export async function readSeen(at: Buffer, size: number): Promise<Buffer> {
  return size <= smallest ? readHere(at) : readElsewhere(at);
}

const how = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Bytes that the main thread reads in less time than it takes to ask another one: ten to twenty microseconds. */
const smallest = 32 * 1024;

function readHere(at: Buffer): Buffer {
  const file = openSync(at, how);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

async function readElsewhere(at: Buffer): Promise<Buffer> {
  const file = await openFile(at, how);
  try {
    return await readAll(file);
  } finally {
    await closeFile(file);
  }
}

// With callbacks: a `FileHandle` costs as much again as the reading.
const openFile = promisify(open);
const readAll = promisify<number, Buffer>(readFile);
const closeFile = promisify(close);
