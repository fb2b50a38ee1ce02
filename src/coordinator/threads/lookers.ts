import type { Piscina } from "piscina";
import type { Failure } from "../../protocol/failure.ts";
import { type ScanOrder, type ScanReport, scanReport } from "../../protocol/scan.ts";
import { nothingSearched, type SearchOrder, type SearchReport, searchReport } from "../../protocol/search.ts";
import { type Look, type Looked, watchLook } from "./watch-look.ts";

/** Threads that look through files and do nothing else meanwhile, so that one that never comes back can be ended. */
export interface Lookers {
  scan(order: Omit<ScanOrder, "progress">, signal: AbortSignal): Promise<ScanReport>;
  search(order: Omit<SearchOrder, "progress">, signal: AbortSignal): Promise<SearchReport>;
}

export interface LookersOptions {
  pool(): Piscina;
  causeOfDeath(thrown: unknown): Failure;
  /** How long a thread may look at one file; long enough for any honest expression when absent. */
  lookMs?: number | undefined;
}

export function openLookers({ pool, causeOfDeath, lookMs }: LookersOptions): Lookers {
  const look = async ({ name, order, looked, mostMs }: Looking, signal: AbortSignal) => {
    signal.throwIfAborted();
    const watch = watchLook(looked, { signal, mostMs });
    try {
      const report: unknown = await pool().run({ ...order, progress: watch.progress }, { name, signal: watch.stop });
      return { report };
    } catch (thrown) {
      signal.throwIfAborted();
      return { mistake: mistakeOf(watch, causeOfDeath(thrown)) };
    } finally {
      watch.end();
    }
  };
  return {
    async scan(order, signal) {
      const looked = { what: whatIsScanned(order.query), pathAt: (index: number) => order.bundle.entries[index]?.path };
      const answer = await look({ name: "scan", order, looked, mostMs: lookMs ?? scanMs }, signal);
      if ("mistake" in answer) return { looked: 0, found: [], skipped: [], mistake: answer.mistake };
      return scanReport.parse(answer.report);
    },
    async search(order, signal) {
      const pathAt = (index: number) => order.paths.split("\0")[index];
      const answer = await look(
        { name: "search", order, looked: { what: "the pattern", pathAt }, mostMs: lookMs ?? searchMs },
        signal,
      );
      if ("mistake" in answer) return { ...nothingSearched, mistake: answer.mistake };
      return searchReport.parse(answer.report);
    },
  };
}

interface Looking {
  name: "scan" | "search";
  order: object;
  looked: Looked;
  /** At one file. */
  mostMs: number;
}

/** A job file's own expressions. */
const scanMs = 10_000;
/** An agent's, while others wait for the same threads. */
const searchMs = 5_000;

function whatIsScanned({ regex, pattern }: ScanOrder["query"]): string {
  return regex === undefined ? `the pattern \`${pattern}\`` : `the regular expression /${regex}/mu`;
}

function mistakeOf(watch: Look, death: Failure): Failure {
  return watch.mistake ?? { ...death, message: `${watch.file()}: ${death.message}` };
}
