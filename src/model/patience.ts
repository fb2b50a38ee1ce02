import { ModelFailed } from "./model.ts";

/** Times of one attempt. Their end aborts it, with the reason. A server that only shows that it is there is left, too. */
export interface Patience {
  /** A piece came: from now on it may be silent for as long as an answer that goes on may. */
  heard(): void;
  /** What came says something. */
  spoke(): void;
  end(): void;
}

export function openPatience(stop: AbortController, limits: { firstMs: number; stallMs: number }): Patience {
  const giveUp = (what: string, ms: number) =>
    stop.abort(new ModelFailed("lost", `${what} for ${Math.round(ms / 1_000)} s`, { isBilled: true }));
  const speechless = Math.max(limits.firstMs, limits.stallMs * stallsWithoutWord);
  let timer = setTimeout(giveUp, limits.firstMs, "no answer began", limits.firstMs);
  let isBegun = false;
  let isOver = false;
  let spokeAt = performance.now();
  return {
    heard() {
      if (isOver) return;
      if (performance.now() - spokeAt > speechless) giveUp("the answer said nothing", speechless);
      if (isBegun) timer.refresh();
      else {
        isBegun = true;
        clearTimeout(timer);
        timer = setTimeout(giveUp, limits.stallMs, "the answer stood still", limits.stallMs);
      }
    },
    spoke() {
      spokeAt = performance.now();
    },
    end() {
      // Refreshed, a timer that was cleared would run again.
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Servers that make their callers wait ping meanwhile. */
const stallsWithoutWord = 10;
