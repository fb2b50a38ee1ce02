import { Fault } from "../../protocol/failure.ts";
import type { Ceiling } from "../../settings/ceiling.ts";

/**
 * The secrets that a command gets, by name. Throws Fault `configuration` for a name that the operator does not keep:
 * nothing runs without what it was promised.
 */
export function namedSecrets(names: readonly string[], { secrets }: Pick<Ceiling, "secrets">): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (value !== undefined) return [name, value];
      throw new Fault("configuration", `the job names the secret ${name}, which this server does not keep`, {
        remedy: `write secrets: { ${name}: { env: ${name} } } in sheaf.config.yaml`,
      });
    }),
  );
}
