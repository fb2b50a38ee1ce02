import type { Socket } from "node:net";
import type { NetworkGrant, NetworkRequest, NetworkTarget } from "../driver.ts";

/** Tells of each request once, when it is over. A command that asks without end is heard so often and no more. */
export interface Recorder {
  /** Undefined when the command has had as many requests as it gets. */
  begin(): Pending | undefined;
  /** The command is over, and all that is under way with it. */
  close(): void;
}

/** One request. What is told first counts. */
export interface Pending {
  refused(target: NetworkTarget, reason: string, address?: string): void;
  /** Told when that connection is over. */
  connected(target: NetworkTarget, socket: Socket): void;
  /** It was none: what came in it is told by itself. */
  forget(): void;
}

const mostRequests = 10_000;

export function createRecorder(heard: NetworkGrant["heard"], now: () => number): Recorder {
  const open = new Set<() => void>();
  let begun = 0;
  return {
    begin() {
      begun++;
      if (begun === mostRequests + 1) {
        const refused = `a command is let ask ${mostRequests} times; this and what came after it was refused`;
        heard({ host: "", port: 0, refused, bytesSent: 0, bytesReceived: 0, durationMs: 0 });
      }
      return begun > mostRequests ? undefined : pending(heard, now, open);
    },
    close() {
      for (const tell of open) tell();
    },
  };
}

function pending(heard: NetworkGrant["heard"], now: () => number, open: Set<() => void>): Pending {
  const started = now();
  let end: (() => void) | undefined;
  let isOver = false;
  const tell = (request: Omit<NetworkRequest, "durationMs">) => {
    if (isOver) return;
    isOver = true;
    if (end) open.delete(end);
    heard({ ...request, durationMs: now() - started });
  };
  return {
    refused({ host, port }, refused, address) {
      tell({ host, port, refused, ...(address === undefined ? {} : { address }), bytesSent: 0, bytesReceived: 0 });
    },
    connected({ host, port }, socket) {
      const address = socket.remoteAddress ?? "";
      end = () => tell({ host, port, address, bytesSent: socket.bytesWritten, bytesReceived: socket.bytesRead });
      open.add(end);
      socket.once("close", end);
    },
    forget() {
      isOver = true;
    },
  };
}
