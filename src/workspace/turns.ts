/** Work runs in the order it came; one that fails does not stop the next. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

/** Items that arrive while a batch is under way make up the next one: one git process for all of them. */
export function batched<T>(work: (items: T[]) => Promise<void>): (item: T) => Promise<void> {
  let waiting: { items: T[]; done: Promise<void> } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return (item) => {
    if (waiting) {
      waiting.items.push(item);
      return waiting.done;
    }
    const items = [item];
    const done = last.then(() => {
      waiting = undefined;
      return work(items);
    });
    last = done.catch(() => {});
    waiting = { items, done };
    return done;
  };
}
