/** Expires once when nothing restarted it for `ms`. */
export interface IdleLimit {
  restart(): void;
  /** It does not run while `wait` lasts: whoever waits for a person is not idle. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  stop(): void;
}

export function startIdleLimit(ms: number, expire: () => void): IdleLimit {
  let timer: NodeJS.Timeout | undefined = setTimeout(expire, ms);
  let waits = 0;
  const resume = () => {
    timer = timer && setTimeout(expire, ms);
  };
  return {
    restart() {
      if (waits === 0) timer?.refresh();
    },
    async during(wait) {
      waits += 1;
      clearTimeout(timer);
      try {
        return await wait();
      } finally {
        waits -= 1;
        if (waits === 0) resume();
      }
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
