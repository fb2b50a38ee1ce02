import type { Duplex } from "node:stream";
import { readClientHello } from "./client-hello.ts";
import { type DialOptions, dial } from "./dial.ts";
import { idleMs } from "./forward.ts";
import type { Wanted } from "./judge-request.ts";
import type { Pending } from "./record.ts";

/**
 * What follows a CONNECT: TLS to the very host that was asked for, by the name in its first message, or plain HTTP,
 * which is read like any other request. No other protocol goes through.
 */
export interface TunnelOptions extends DialOptions {
  wanted: Wanted;
  pending: Pending;
  /** Takes a client that speaks plain HTTP in its tunnel; `first` is what it has said already. */
  plain(client: Duplex, first: Buffer): void;
}

const helloMs = 15_000;

export async function tunnel(client: Duplex, head: Buffer, options: TunnelOptions): Promise<void> {
  const { wanted, pending, plain } = options;
  const dialled = await dial(wanted, options);
  if ("reason" in dialled) {
    pending.refused(wanted, dialled.reason, dialled.address);
    return sayNo(client, dialled);
  }
  const { socket } = dialled;
  socket.pause();
  client.once("close", () => socket.destroy());
  if (client.destroyed) {
    pending.refused(wanted, "the client left", socket.remoteAddress);
    return void socket.destroy();
  }
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  const first = await hello(client, head);
  if (first.state === "plain") {
    pending.forget();
    socket.destroy();
    return plain(client, first.bytes);
  }
  const reason = first.state === "named" ? mismatch(first.name, wanted.host) : first.reason;
  if (reason !== undefined) {
    pending.refused(wanted, reason, socket.remoteAddress);
    return void client.destroy();
  }
  pending.connected(wanted, socket);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.once("close", () => (socket.errored ? client.destroy() : client.end()));
  socket.write(first.bytes);
  client.pipe(socket).pipe(client);
}

/** The answer to a CONNECT that leads nowhere. */
export function sayNo(client: Duplex, { status, reason }: { status: number; reason: string }): void {
  const body = Buffer.from(`sheaf: ${reason}\n`);
  const lines = [
    `HTTP/1.1 ${status} ${status === 502 ? "Bad Gateway" : status === 403 ? "Forbidden" : "Bad Request"}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  client.end(body, () => client.destroy());
}

function mismatch(name: string, host: string): string | undefined {
  return name === host ? undefined : `its TLS asks for ${JSON.stringify(name.slice(0, 253))} in a tunnel to ${host}`;
}

type Opening =
  | { state: "named"; name: string; bytes: Buffer }
  | { state: "plain"; bytes: Buffer }
  | { state: "refused"; reason: string; bytes: Buffer };

/** Reads until it is known what the client speaks, and leaves the client paused. */
function hello(client: Duplex, head: Buffer): Promise<Opening> {
  return new Promise((settle) => {
    let bytes = Buffer.alloc(0);
    const finish = (opening: Opening) => {
      clearTimeout(late);
      client.off("data", more).off("end", gone).off("close", gone);
      client.pause();
      settle(opening);
    };
    const gone = () => finish({ state: "refused", reason: "the client left before it said anything", bytes });
    const more = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length === 0) return;
      if (bytes[0] !== tlsHandshake) return finish({ state: "plain", bytes });
      const read = readClientHello(bytes);
      if (read.state !== "more") finish({ ...read, bytes });
    };
    const late = setTimeout(() => finish({ state: "refused", reason: "it said nothing for too long", bytes }), helloMs);
    client.on("data", more).on("end", gone).on("close", gone);
    more(head);
  });
}

const tlsHandshake = 22;
