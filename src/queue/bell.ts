/**
 * Lets a loop sleep until it is time or somebody rings. What is rung while it works is heard when it next sleeps, and
 * many rings are one.
 */
export interface Bell {
  ring(): void;
  /** Resolves after `ms`, or once it is rung, but not before `atLeastMs`: who is rung all the time gathers. */
  sleep(ms: number, atLeastMs: number): Promise<void>;
}

export function createBell(): Bell {
  let isRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    async sleep(ms, atLeastMs) {
      // Always at least one round of the event loop: the embedded database answers in microtasks and would let no timer in.
      await pause(Math.min(ms, atLeastMs));
      if (!isRung) await pauseUntil(ms - atLeastMs, (listener) => (wake = listener));
      wake = undefined;
      isRung = false;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms <= 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}

function pauseUntil(ms: number, listen: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ms));
    listen(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
