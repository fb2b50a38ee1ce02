import { Fault } from "../protocol/failure.ts";

/**
 * What was done in a workspace cannot be told by git: whoever worked there made it so. It ends their run, and is no
 * failure of Sheaf's.
 */
export class Unsettled extends Fault {
  constructor(cause: Fault) {
    super("git", `what it left cannot be taken: ${cause.message}`, {
      cause,
      remedy: "look at the .gitignore files it wrote, and for pipes, devices or repositories that it left",
    });
  }
}

/** Work whose failure in git is owed to what is in the workspace. */
export async function overWorkOfOthers<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof Fault && cause.code === "git" ? new Unsettled(cause) : cause;
  }
}

/** What could not be settled once is never taken for what may stay. */
export function untilUnsettled(): <T>(work: () => Promise<T>) => Promise<T> {
  let failure: Unsettled | undefined;
  return async (work) => {
    if (failure) throw failure;
    return work().catch((thrown: unknown) => {
      if (thrown instanceof Unsettled) failure = thrown;
      throw thrown;
    });
  };
}

/** Git that looks longer through what others left was made to; it takes a second where there is very much. */
export const patienceMs = 10_000;
