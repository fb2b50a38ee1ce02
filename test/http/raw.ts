import { connect, type Socket } from "node:net";

/** What fetch would put right or refuse to send, sent as it is. */
export interface Answer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Bytes over a connection of their own, and all that comes back until it is closed. */
export function exchange(url: string, bytes: string, { end = false } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = open(url);
  let got = "";
  socket.on("data", (text: string) => {
    got += text;
  });
  socket.on("error", () => {}).on("close", () => resolve(got));
  socket.write(Buffer.from(bytes, "latin1"));
  if (end) socket.end();
  return promise;
}

export function open(url: string): Socket {
  return connect(Number(new URL(url).port), "127.0.0.1").setEncoding("latin1");
}

/** One request, its headers as they stand; the connection is closed after it. */
export async function send(url: string, line: string, headers: readonly string[] = [], body = ""): Promise<Answer> {
  const head = [`${line} HTTP/1.1`, ...headers, "Connection: close"];
  return answersIn(await exchange(url, `${head.join("\r\n")}\r\n\r\n${body}`))[0] ?? nothing;
}

const nothing: Answer = { status: 0, headers: {}, body: "" };

/** The answers that came over one connection, in their order. */
export function answersIn(bytes: string): Answer[] {
  const answers: Answer[] = [];
  for (let rest = bytes; rest !== ""; ) {
    const [head = "", ...after] = rest.split("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const behind = after.join("\r\n\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? 0);
    const length = status < 200 ? 0 : Number(headers["content-length"] ?? behind.length);
    if (status >= 200) answers.push({ status, headers, body: behind.slice(0, length) });
    rest = behind.slice(length);
  }
  return answers;
}

/** The first that comes, or "" once it is closed without a word. */
export function firstWord(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("data", resolve).once("close", () => resolve(""));
  return promise;
}

/** However it ends. */
export function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (socket.closed) resolve();
  else socket.on("error", () => {}).once("close", () => resolve());
  return promise;
}
