/**
 * Two ways of doing the same, taken in turn (A B A B ...) so that a machine that slows down slows both. Nothing here
 * says anything of one side alone: a figure is a ratio, or the difference that one side makes.
 */
export interface Pairs<T> {
  subject: T[];
  baseline: T[];
}

export interface Sides<T> {
  subject(turn: number): Promise<T>;
  baseline(turn: number): Promise<T>;
}

export interface Comparison {
  value: number;
  statistic: string;
}

/** One pair is taken first and thrown away: it warms what a first time warms. */
export async function takePairs<T>(count: number, sides: Sides<T>): Promise<Pairs<T>> {
  const pairs: Pairs<T> = { subject: [], baseline: [] };
  for (let turn = 0; turn <= count; turn++) {
    const subject = await sides.subject(turn);
    const baseline = await sides.baseline(turn);
    if (turn === 0) continue;
    pairs.subject.push(subject);
    pairs.baseline.push(baseline);
  }
  return pairs;
}

/** The best of one side over the best of the other: noise only ever adds. */
export function ratioOfMinima(pairs: Pairs<number>): Comparison {
  const value = Math.min(...pairs.subject) / Math.min(...pairs.baseline);
  return { value, statistic: `minimum of ${pairs.subject.length}, ${spread(pairs, divide, "x")}` };
}

/** The same where more is better. */
export function ratioOfMaxima(pairs: Pairs<number>): Comparison {
  const value = Math.max(...pairs.subject) / Math.max(...pairs.baseline);
  return { value, statistic: `maximum of ${pairs.subject.length}, ${spread(pairs, divide, "x")}` };
}

/** For small effects, where one lucky run would decide. */
export function medianOfRatios(pairs: Pairs<number>): Comparison {
  const value = median(each(pairs, divide));
  return { value, statistic: `median of ${pairs.subject.length}, ${spread(pairs, divide, "x")}` };
}

/** What the subject costs more than the baseline, in their own unit. */
export function medianOfDifferences(pairs: Pairs<number>, unit: string): Comparison {
  const value = median(each(pairs, subtract));
  return { value, statistic: `median of ${pairs.subject.length}, ${spread(pairs, subtract, ` ${unit}`)}` };
}

/** One quantity of both sides. */
export function pick<T>(pairs: Pairs<T>, quantity: (measured: T) => number): Pairs<number> {
  return { subject: pairs.subject.map(quantity), baseline: pairs.baseline.map(quantity) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

type Join = (subject: number, baseline: number) => number;

const divide: Join = (subject, baseline) => subject / baseline;
const subtract: Join = (subject, baseline) => subject - baseline;

function each(pairs: Pairs<number>, join: Join): number[] {
  return pairs.subject.map((subject, index) => join(subject, pairs.baseline[index] ?? Number.NaN));
}

function spread(pairs: Pairs<number>, join: Join, unit: string): string {
  const values = each(pairs, join);
  return `pairs ${short(Math.min(...values))}${unit} to ${short(Math.max(...values))}${unit}`;
}

/** Three digits that mean something. */
export function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: false });
}
