import { z } from "zod";

/** A length of time as people write it: `40m`, `90s`, `1h30m`, `500ms`. A bare number is refused: it has no unit. */

const form = /^(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/;
/** Timers hold at most 2^31 - 1 milliseconds, which is 24.8 days. */
const longestMs = 480 * 3_600_000;

/** Milliseconds, or the reason why the text is no duration. */
export function durationMs(text: string): { ms: number } | { reason: string } {
  const parts = form.exec(text);
  if (!parts || text === "") return { reason: `"${text.slice(0, 40)}" is no duration; ${remedy}` };
  const [, hours = 0, minutes = 0, seconds = 0, millis = 0] = parts.map(Number).map((part) => part || 0);
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis;
  if (ms <= 0) return { reason: "a duration must be longer than nothing; write at least 1s" };
  if (ms > longestMs) return { reason: `"${text}" is longer than 480h; write a shorter one` };
  return { ms };
}

const remedy = "write it with a unit, such as 90s, 40m or 1h30m";

/** A text in a file, milliseconds in the program. */
export const duration = z
  .string({
    error: ({ input }) =>
      typeof input === "number" ? `the number ${input} has no unit; ${remedy}` : `expected a duration; ${remedy}`,
  })
  .meta({ pattern: "^(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?(?:\\d+ms)?$", examples: ["90s", "40m", "1h30m"] })
  .transform((text, context) => {
    const read = durationMs(text);
    if ("ms" in read) return read.ms;
    context.issues.push({ code: "custom", message: read.reason, input: text });
    return z.NEVER;
  });
