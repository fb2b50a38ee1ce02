import { execFileSync } from "node:child_process";

/** A network of its own for one process, joined with this machine by one link that can be taken down. Needs root. */
export interface Network extends Disposable {
  /** This machine, as it is seen from in there; and nothing else is. */
  gateway: string;
  /** Put before a command that is to be in there. */
  within: readonly string[];
  /** From here on packets vanish: nothing is refused and nothing is closed. */
  unplug(): void;
  plug(): void;
}

/** Why there can be none here; undefined where there can. */
export function noNetworkBecause(): string | undefined {
  try {
    openNetwork()[Symbol.dispose]();
    return undefined;
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    return `no network namespace can be made here (it takes root and the program ip): ${said.trim()}`;
  }
}

/** Throws where the kernel, or a lack of rights, does not let it be made. */
export function openNetwork(): Network {
  const [name, link] = [`sheaf-${process.pid}`, `sheaf${process.pid}`];
  const subnet = `10.213.${process.pid % 250}`;
  const ip = (...words: readonly string[]) => execFileSync("ip", [...words], { stdio: ["ignore", "ignore", "pipe"] });
  const within = ["ip", "netns", "exec", name];
  const remove = () => ip("netns", "delete", name);
  ip("netns", "add", name);
  try {
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("address", "add", `${subnet}.1/30`, "dev", link);
    ip("link", "set", link, "up");
    ip("-n", name, "address", "add", `${subnet}.2/30`, "dev", "eth0");
    for (const each of ["lo", "eth0"]) ip("-n", name, "link", "set", each, "up");
  } catch (thrown) {
    remove();
    throw thrown;
  }
  process.once("exit", remove);
  return {
    ...{ gateway: `${subnet}.1`, within },
    unplug: () => void ip("link", "set", link, "down"),
    plug: () => void ip("link", "set", link, "up"),
    [Symbol.dispose]() {
      process.off("exit", remove);
      remove();
    },
  };
}
