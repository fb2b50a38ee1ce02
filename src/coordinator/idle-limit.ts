/** Expires once when nothing restarted it for `ms`. */
export interface IdleLimit {
  restart(): void;
  stop(): void;
}

export function startIdleLimit(ms: number, expire: () => void): IdleLimit {
  const timer = setTimeout(expire, ms);
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}
