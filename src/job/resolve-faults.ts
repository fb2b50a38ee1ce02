import { Fault } from "../protocol/failure.ts";

/** Keeps going after a fault, so that everything wrong with a job is said at once. */
export interface FaultList {
  /** Each item in turn; those that fault are left out and remembered. Other errors pass. */
  all<Item, Value>(
    items: readonly Item[],
    resolve: (item: Item, index: number) => Value | Promise<Value>,
  ): Promise<Value[]>;
  /** Throws all that was remembered as one Fault, under the code and remedy of the first. */
  raise(): void;
}

const mostListed = 20;

export function collectFaults(): FaultList {
  const faults: Fault[] = [];
  return {
    async all(items, resolve) {
      const values = [];
      for (const [index, item] of items.entries()) {
        try {
          values.push(await resolve(item, index));
        } catch (thrown) {
          if (!(thrown instanceof Fault)) throw thrown;
          faults.push(thrown);
        }
      }
      return values;
    },
    raise: () => {
      const [first] = faults;
      if (first) throw joined(first, faults);
    },
  };
}

function joined(first: Fault, faults: readonly Fault[]): Fault {
  if (faults.length === 1) return first;
  const lines = [
    ...new Set(faults.map((fault) => (fault.remedy ? `${fault.message}; ${fault.remedy}` : fault.message))),
  ];
  const shown =
    lines.length > mostListed ? [...lines.slice(0, mostListed), `... and ${lines.length - mostListed} more`] : lines;
  return new Fault(first.code, shown.join("\n"));
}
