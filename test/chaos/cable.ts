import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** The cable between one node and the database, or another server: what goes over it is passed on untouched, until somebody pulls it. */
export interface Cable extends AsyncDisposable {
  /** The server's address at this end. */
  url: string;
  /** Ends every connection at once, wherever it is; new ones are let through. */
  cut(): void;
  /** Ends all connections and refuses new ones, until it is mended. */
  pull(): void;
  /** Nothing comes through and nothing is refused, as where a router has died, until it is mended. */
  swallow(): void;
  mend(): void;
}

/** `at`: an address of this machine at which this end is. */
export async function layCable(serverUrl: string, { at = "127.0.0.1" }: { at?: string } = {}): Promise<Cable> {
  const target = new URL(serverUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "whole" | "pulled" | "swallowing" = "whole";
  const server = createServer((near) => {
    if (state === "pulled") return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    join(pair, () => pairs.delete(pair));
    if (state === "swallowing") for (const end of pair) end.pause();
    return undefined;
  });
  const cut = () => {
    for (const [near, far] of pairs) [near, far].map((end) => end.destroy());
  };
  const place = new URL(serverUrl);
  place.hostname = at;
  place.port = String(await listening(server, at));
  return {
    url: place.href,
    cut,
    pull() {
      state = "pulled";
      cut();
    },
    swallow() {
      state = "swallowing";
      for (const ends of pairs) for (const end of ends) end.pause();
    },
    mend() {
      state = "whole";
      for (const ends of pairs) for (const end of ends) end.resume();
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}

function join([near, far]: readonly [Socket, Socket], onEnd: () => void): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on("data", (bytes) => void to.write(bytes));
    from.on("error", () => {});
    from.on("close", () => {
      to.destroy();
      onEnd();
    });
  }
}

async function listening(server: Server, at: string): Promise<number> {
  server.listen(0, at);
  await once(server, "listening");
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}
