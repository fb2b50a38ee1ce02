import { InvalidArgumentError, Option } from "commander";

/** `--output-format`, one of these; the first where nothing is said. */
export function formatOption(formats: readonly string[], description: string): Option {
  return new Option("--output-format <format>", description).choices(formats).default(formats[0]);
}

/** A whole number of at least 1. */
export function wholeNumber(word: string): number {
  const number = Number(word);
  if (/^\d{1,9}$/.test(word) && number > 0) return number;
  throw new InvalidArgumentError("It must be a whole number, 1 or more.");
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
