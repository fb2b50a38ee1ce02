import { createServer } from "node:http";

// An OTLP collector that takes everything and looks at nothing. It tells its parent its port, answers each message
// with the bytes it has taken so far, and ends with its parent.
let bytes = 0;
const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.(address.port);
});
process.on("message", () => process.send?.(bytes));
process.on("disconnect", () => process.exit(0));
