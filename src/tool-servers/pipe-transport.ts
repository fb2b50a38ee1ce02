import type { Readable, Writable } from "node:stream";
import { deserializeMessage, serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/**
 * Speaks with a server over the pipes of a process, one message a line. It believes nothing about how much comes: a line
 * without an end, or more than anybody asked for, ends the connection.
 */
export interface PipeOptions {
  stdin: Writable;
  stdout: Readable;
  /** Ends the process; the connection is over by then. `complaint`: what it did that nobody lets it do. */
  end(complaint?: string): void;
}

/** Bytes of one line, in either direction; bytes and lines since something was last asked. */
const mostLineBytes = 8 * 1024 * 1024;
const mostBytes = 64 * 1024 * 1024;
const mostLines = 20_000;

export class PipeTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #pipes: PipeOptions;
  #line: Buffer[] = [];
  #lineBytes = 0;
  #bytes = 0;
  #lines = 0;
  #isOver = false;

  constructor(pipes: PipeOptions) {
    this.#pipes = pipes;
  }

  async start(): Promise<void> {
    const { stdout } = this.#pipes;
    stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    stdout.once("close", () => this.#finish());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#pipes;
    if (this.#isOver || !stdin.writable) throw new Error("the server has ended");
    if (stdin.writableLength > mostLineBytes) throw new Error("the server does not read what it is sent");
    if ("method" in message && "id" in message) this.#bytes = this.#lines = 0;
    stdin.write(serializeMessage(message));
  }

  async close(): Promise<void> {
    this.#finish();
  }

  #finish(complaint?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#line = [];
    this.#pipes.end(complaint);
    this.onclose?.();
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > mostBytes) this.#finish(`it said over ${mostBytes} bytes without being asked`);
    for (let start = 0; !this.#isOver && start < chunk.length; ) {
      const end = chunk.indexOf(0x0a, start);
      this.#add(chunk.subarray(start, end < 0 ? chunk.length : end));
      if (end < 0) return;
      this.#tell();
      start = end + 1;
    }
  }

  #add(part: Buffer): void {
    this.#lineBytes += part.length;
    if (this.#lineBytes > mostLineBytes) this.#finish(`a line of it has over ${mostLineBytes} bytes`);
    else this.#line.push(part);
  }

  /** What is no message is the server's own noise; it counts all the same. */
  #tell(): void {
    const line = Buffer.concat(this.#line).toString();
    this.#line = [];
    this.#lineBytes = 0;
    this.#lines += 1;
    if (this.#lines > mostLines) this.#finish(`it said over ${mostLines} lines without being asked`);
    const message = this.#isOver ? undefined : readMessage(line);
    if (message) this.onmessage?.(message);
  }
}

function readMessage(line: string): JSONRPCMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return deserializeMessage(line);
  } catch {
    return undefined;
  }
}
