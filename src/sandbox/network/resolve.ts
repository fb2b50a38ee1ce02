import { lookup, Resolver } from "node:dns/promises";

/**
 * The addresses of a host; an empty list where it has none. `isOwn`: the operator named it as a host of their own, and
 * their machine's own table of hosts counts. Every other name is asked of the DNS alone: without a thread of Node's
 * pool, which slow answers to a command's names would take from everybody else.
 */
export type Resolve = (host: string, options: { isOwn: boolean }) => Promise<readonly string[]>;

export function createResolve(): Resolve {
  return async (host, { isOwn }) => {
    if (isOwn) return (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
    // One for each name, as it ends with the question.
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    const asked = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  };
}
