import { z } from "zod";

/** The part of the vocabulary that is designed and not built yet: refused with those words, never ignored. */

/** A key that is refused wherever it is written. `instead` says what to do until it is built. */
export function later(instead: string) {
  return z
    .custom<undefined>((value) => value === undefined, { error: notBuilt(instead), params: { at: "key" } })
    .optional();
}

/** One of `values`; a text in `refused` is answered with its reason (see `notBuilt`). */
export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  refused: Readonly<Record<string, string>> = {},
) {
  return z.enum(values, {
    error: ({ input }) => {
      const reason = typeof input === "string" && Object.hasOwn(refused, input) ? refused[input] : undefined;
      return reason === undefined ? undefined : `"${String(input)}" ${reason}`;
    },
  });
}

function notBuilt(instead: string): string {
  return `is not built yet: ${instead}`;
}
