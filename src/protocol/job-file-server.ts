import { z } from "zod";
import { secretName, writtenReach } from "./job-file-reach.ts";
import { key } from "./written-key.ts";
import { refusedCharacters, text } from "./written-text.ts";

/** Servers of tools (Model Context Protocol) of a job file as people write them: a command in the sandbox, or a URL. */

const word = z.string().superRefine((written, context) => {
  const message = refusedCharacters(written, 16_000) ?? (written.includes("${{") ? noTemplate : undefined);
  if (message) context.addIssue({ code: "custom", message });
});
const noTemplate = `"\${{ }}" is not read in the command of a server; write the value itself`;

const words = z
  .array(word)
  .min(1)
  .max(1_000)
  .superRefine(([program = ""], context) => {
    if (program.trim() !== "") return;
    context.addIssue({ code: "custom", message: "the first word is the program; write its name", path: [0] });
  });

const url = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedUrl(written);
  if (message) context.addIssue({ code: "custom", message });
});

function refusedUrl(written: string): string | undefined {
  const shown = JSON.stringify(written.slice(0, 80));
  const read = URL.canParse(written) ? new URL(written) : undefined;
  if (!read || !/^https?:$/.test(read.protocol))
    return `${shown} is no address; write one such as https://example.com/mcp`;
  if (read.username !== "" || read.password !== "") {
    return "an address with a password in it would be in every log; write headers: { Authorization: { secret: NAME } }";
  }
  return read.hash === "" ? undefined : `${shown}: the part behind # is never sent; leave it out`;
}

/** What the client says itself, and what would change which request this is. */
const ownHeaders =
  /^(?:accept|connection|content-(?:length|type)|cookie|expect|host|keep-alive|last-event-id|mcp-.*|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

const headerName = z.string().superRefine((written, context) => {
  const shown = JSON.stringify(written.slice(0, 80));
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(written)) {
    context.addIssue({ code: "custom", message: `${shown} is no name of a header; write one such as Authorization` });
  } else if (ownHeaders.test(written)) {
    context.addIssue({ code: "custom", message: `the header ${shown} is the client's own; leave it out` });
  }
});

const headerValue = z.strictObject(
  { secret: secretName.meta({ description: "the operator's secret that is its whole value; required" }) },
  {
    error: ({ input }) =>
      typeof input === "string" ? "a value written here would be in every log; write { secret: NAME }" : undefined,
  },
);

const server = z
  .strictObject({
    run: key(
      words,
      "the command of a server that speaks over its pipes, as a list of words; it runs in the sandbox",
      "none",
    ),
    ...writtenReach,
    url: key(url, "the address of a server that speaks HTTP", "none"),
    repeatable: key(
      z.boolean(),
      "a call whose outcome nobody knows, as the process that made it ended, is made again",
      { is: false },
    ),
    headers: key(z.record(headerName, headerValue), "of a url: header: { secret: NAME }", { is: {} }),
  })
  .superRefine((written, context) => {
    const refused = refusedServer(written);
    if (refused) context.addIssue({ code: "custom", ...refused });
  });
export type WrittenServer = z.infer<typeof server>;

type Written = Partial<Record<"run" | "url" | "headers" | "network" | "secrets", unknown>>;

function refusedServer(written: Written): { message: string; path?: string[] } | undefined {
  const { run, url } = written;
  if (run !== undefined && url !== undefined) return { message: "a server is one of run and url; write one of them" };
  if (run === undefined && url === undefined) {
    return { message: "the server says nothing; write run: [COMMAND, ...] or url: ADDRESS" };
  }
  const [foreign] = (run === undefined ? (["network", "secrets"] as const) : (["headers"] as const)).filter(
    (name) => written[name] !== undefined,
  );
  if (foreign === undefined) return undefined;
  const remedy = foreign === "secrets" ? "write headers: { Authorization: { secret: NAME } }" : "leave it out";
  return { message: `${foreign} belongs to ${run === undefined ? "run" : "url"}; ${remedy}`, path: [foreign] };
}

/** The part of a tool's name between `mcp__` and the next `__`. */
const serverName = z.string().regex(/^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*$/, {
  error: ({ input }) =>
    `${JSON.stringify(String(input).slice(0, 80))} is no name of a server; use letters, digits and single _ or - between them`,
});
const longestName = 24;

export const writtenServers = z.record(serverName, server).superRefine((written, context) => {
  for (const name of Object.keys(written)) {
    if (name.length <= longestName) continue;
    const message = `a server's name is part of its tools' names: at most ${longestName} characters`;
    context.addIssue({ code: "custom", message, path: [name] });
  }
});
export type WrittenServers = z.infer<typeof writtenServers>;
