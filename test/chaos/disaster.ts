import type { Cable } from "./cable.ts";
import type { NodeUnderTest } from "./node-under-test.ts";
import type { Strike } from "./strike.ts";

/** Each by its number, of a node at the end of this cable. */
export function disasterOf(number: number, node: NodeUnderTest, cable: Cable): Strike {
  const disasters: readonly Strike[] = [
    { name: "killed", hit: () => node.kill(), isKilling: true },
    { name: "frozen", hit: () => node.signal("SIGSTOP"), revive: () => node.signal("SIGCONT"), delaysCalls: true },
    { name: "cut off", hit: () => cable.pull(), revive: () => cable.mend() },
    { name: "partitioned", hit: () => cable.swallow(), revive: () => cable.mend() },
  ];
  const disaster = disasters[number % disasters.length];
  if (!disaster) throw new Error(`there is no disaster ${number}`);
  return disaster;
}
