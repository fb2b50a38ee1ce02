import type { Failure } from "../../protocol/failure.ts";

/**
 * Watches a thread that looks through files. It says nothing while it looks, so it writes the number of each file where
 * both can see it; when that stands still for too long, the thread is ended and the file is known.
 */
export interface Look {
  progress: SharedArrayBuffer;
  /** Aborts when the look is over: it took too long, or nobody wants it any more. */
  stop: AbortSignal;
  /** Whose fault it was, when it took too long. */
  readonly mistake: Failure | undefined;
  /** The file it is at. */
  file(): string;
  end(): void;
}

/** What is looked for, in words, and the path of a file by its number. */
export interface Looked {
  what: string;
  pathAt(index: number): string | undefined;
}

export function watchLook(looked: Looked, { signal, mostMs }: { signal: AbortSignal; mostMs: number }): Look {
  const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const at = new Int32Array(progress).fill(notBegun);
  const stop = new AbortController();
  const file = () => looked.pathAt(Atomics.load(at, 0)) ?? "the files";
  const abort = () => stop.abort();
  let mistake: Failure | undefined;
  let last = notBegun;
  let looks = 0;
  const timer = setInterval(() => {
    const now = Atomics.load(at, 0);
    looks = now === last && now !== notBegun ? looks + 1 : 0;
    last = now;
    if (looks < looksPerBound) return;
    mistake = tooLong(looked, { path: file(), mostMs });
    abort();
  }, mostMs / looksPerBound);
  timer.unref();
  signal.addEventListener("abort", abort, { once: true });
  const end = () => {
    clearInterval(timer);
    signal.removeEventListener("abort", abort);
  };
  return {
    progress,
    stop: stop.signal,
    get mistake() {
      return mistake;
    },
    file,
    end,
  };
}

const notBegun = -1;
/** A thread is ended after so many looks at the same file, so one late timer alone ends none. */
const looksPerBound = 5;

function tooLong({ what }: Looked, { path, mostMs }: { path: string; mostMs: number }): Failure {
  return {
    code: "job_file",
    message: `${what} did not come to an end on ${JSON.stringify(path)} within ${mostMs / 1_000} s`,
    remedy: "write it without a repetition inside a repetition, or narrow the files it looks at",
  };
}
