import { z } from "zod";
import type { Session } from "../cli/session.ts";
import { Fault } from "../protocol/failure.ts";
import { type Connection, connect } from "../remote/connection.ts";
import { remoteCoordinator } from "../remote/remote-coordinator.ts";

/** Another process does the work: this one asks it, over the socket in the data folder or over the network. */

/** undefined when nobody answers: the holder has gone, or is going. */
export async function joinSocket(socket: string): Promise<Session | undefined> {
  const connection = connect({ socket });
  try {
    await connection.json({ path: "/healthz" }, z.unknown());
    return sessionOver(connection, "socket");
  } catch (thrown) {
    connection.close();
    if (thrown instanceof Fault && thrown.code === "provider_unavailable") return undefined;
    throw thrown;
  }
}

export function joinServer(server: { url: string; token: string | undefined }): Session {
  return sessionOver(connect(server), "server");
}

function sessionOver(connection: Connection, reach: "socket" | "server"): Session {
  return {
    coordinator: remoteCoordinator(connection),
    reach,
    async [Symbol.asyncDispose]() {
      connection.close();
    },
  };
}
