import { type Place, Places } from "./places.ts";

/**
 * Runs items so many at a time, each after all it needs, and of those that may run the first in order. It never looks
 * at what came of an item: whether a need ended well is for `run` to judge.
 */
export interface Schedule<Item> {
  width: number;
  /** Once aborted no further item is begun; those under way are waited for. */
  signal?: AbortSignal | undefined;
  /** Whether it may run beside those under way; asked again when one of them has ended. Absent: it always may. */
  mayBegin?: ((item: Item) => boolean) | undefined;
  /** An item that does without its place for a while lets another one begin. */
  run(item: Item, place: Place): Promise<void>;
}

interface Needing {
  id: string;
  needs: readonly string[];
}

/** `thrown` is the first that `run` threw; nothing was begun after it. */
export async function runInOrder<Item extends Needing>(
  items: readonly Item[],
  schedule: Schedule<Item>,
): Promise<{ thrown?: { cause: unknown } }> {
  const queue = createQueue(items);
  let thrown: { cause: unknown } | undefined;
  const runNext = async (item: Item, place: Place): Promise<void> => {
    try {
      await schedule.run(item, place);
      queue.done(item.id);
    } catch (cause) {
      thrown ??= { cause };
    }
  };
  await new Promise<void>((resolve) => {
    let underWay = 0;
    const { width: count, signal } = schedule;
    const fill = () => {
      while (!thrown && !signal?.aborted && places.isFree) {
        const item = queue.next(schedule.mayBegin);
        if (!item) break;
        underWay += 1;
        // runNext never rejects.
        void runNext(item, places.take()).then(() => {
          underWay -= 1;
          places.leave();
          fill();
        });
      }
      if (underWay === 0) resolve();
    };
    const places = new Places({ count, signal, onFree: () => fill() });
    fill();
  });
  return thrown ? { thrown } : {};
}

/** Hands out what has nothing left to wait for, in order. Needs that are not among the items never come. */
function createQueue<Item extends Needing>(items: readonly Item[]) {
  const missing = items.map((item) => new Set(item.needs));
  const waiting = new Map<string, number[]>();
  for (const [place, item] of items.entries()) {
    for (const need of new Set(item.needs)) {
      const others = waiting.get(need);
      if (others) others.push(place);
      else waiting.set(need, [place]);
    }
  }
  const ready = items.flatMap((_, place) => (missing[place]?.size === 0 ? [place] : []));
  return {
    next: (mayBegin: (item: Item) => boolean = () => true): Item | undefined => {
      const at = ready.findIndex((place) => items[place] !== undefined && mayBegin(items[place]));
      const [place] = at < 0 ? [] : ready.splice(at, 1);
      return place === undefined ? undefined : items[place];
    },
    done(id: string): void {
      for (const place of waiting.get(id) ?? []) {
        missing[place]?.delete(id);
        if (missing[place]?.size === 0) insert(ready, place);
      }
    },
  };
}

function insert(sorted: number[], value: number): void {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, value);
}
