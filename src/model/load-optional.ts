import { Fault } from "../protocol/failure.ts";

/** Loads a package that need not be installed. Throws Fault `configuration` with the way to get it. */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const isAbsent = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
    const reason = isAbsent ? "is not installed" : "could not be loaded";
    throw new Fault("configuration", `the package ${name} ${reason}`, { remedy: `npm install ${name}`, cause });
  }
}
