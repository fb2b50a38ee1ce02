import { z } from "zod";

/** Identifiers are UUIDv7 strings, branded so that one kind is never passed for another. */
export const jobId = z.uuid().brand<"JobId">();
export const runId = z.uuid().brand<"RunId">();
/** A task's name inside its job, such as `part-3`; unique in the job, safe in a ref name. */
export const taskId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  .brand<"TaskId">();

export type JobId = z.infer<typeof jobId>;
export type RunId = z.infer<typeof runId>;
export type TaskId = z.infer<typeof taskId>;

/** Where time and chance come from; passed in, so that a test decides both. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** `count` random bytes. */
  random(count: number): Uint8Array;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 random bits. */
export function newUuid(clock: Clock): string {
  const bytes = clock.random(16);
  let ms = clock.now();
  for (let index = 5; index >= 0; index--) {
    bytes[index] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  return format(bytes, 7);
}

/** A UUID of version 4 (RFC 9562, 5.4): 122 random bits, so that its first few characters name it among many. */
export function randomUuid(clock: Pick<Clock, "random">): string {
  return format(clock.random(16), 4);
}

function format(bytes: Uint8Array, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let hex = "";
  for (const byte of bytes) hex += hexOfByte[byte];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
