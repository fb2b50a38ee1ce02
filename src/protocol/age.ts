/** How long things are kept, as people write it: `30d`, `2w`, `12h`. A month has no length, so it has no unit. */

const form = /^(\d{1,5})([hdw])$/;
const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds, or the reason why the text is no age. */
export function ageMs(text: string): { ms: number } | { reason: string } {
  const [, number = "", unit = ""] = form.exec(text) ?? [];
  const ms = Number(number) * (unitMs[unit] ?? 0);
  if (number !== "") return { ms };
  return { reason: `"${text.slice(0, 40)}" is no length of time to keep something; write hours, days or weeks: 30d` };
}
