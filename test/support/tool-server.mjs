// A server of tools as people write them, on the protocol's own SDK; `--http PORT` serves by HTTP.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "notes", version: "1.0.0" });
const text = (value) => ({ content: [{ type: "text", text: String(value) }] });
let count = 0;

server.registerTool(
  "search.notes",
  { description: "Searches the notes.", inputSchema: { query: z.string() } },
  ({ query }, { _meta }) => text(`found ${query} in call ${++count}, traced ${_meta?.traceparent ?? "nowhere"}`),
);
server.registerTool("look", { description: "Says where it is.", inputSchema: { path: z.string() } }, ({ path }) => {
  writeFileSync("scratch.txt", "of the server\n");
  const seen = existsSync(path) ? readFileSync(path, "utf8") : "nothing";
  return text(`${process.cwd()} ${process.env.NOTES_KEY ?? "no key"} ${seen}`);
});
server.registerTool("picture", { description: "Gives a picture." }, () => ({
  content: [
    { type: "text", text: "here:" },
    { type: "image", mimeType: "image/png", data: Buffer.from("png").toString("base64") },
    { type: "resource", resource: { uri: "notes://1", text: "the first note" } },
  ],
}));
server.registerTool("fail", { description: "Fails." }, () => ({ ...text("it is broken"), isError: true }));
server.registerTool("die", { description: "Ends the server." }, () => {
  console.error("about to die");
  process.exit(3);
});
server.registerTool("secret", { description: "Is allowed to nobody." }, () => text("told"));
await server.connect(new StdioServerTransport());
