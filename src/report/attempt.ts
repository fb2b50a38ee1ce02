import { type Failure, toFailure } from "../protocol/failure.ts";

/** Does one thing and answers its failure, so that what comes after it is done all the same. */
export async function attempt(what: string, work: () => Promise<void>): Promise<Failure[]> {
  try {
    await work();
    return [];
  } catch (thrown) {
    const failure = toFailure(thrown);
    return [{ ...failure, message: `could not ${what}: ${failure.message}` }];
  }
}
