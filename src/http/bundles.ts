import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../protocol/ids.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import type { HttpLimits } from "./limits.ts";
import { receiveBundle } from "./receive-bundle.ts";
import { noQuery, problems, secured } from "./route.ts";

/** Repositories that the server cannot fetch arrive as git bundles, named by the hash of their bytes. */
export function addBundles(
  app: OpenAPIHono<HttpEnv>,
  { bundles, limits, clock }: { bundles: string; limits: HttpLimits; clock: Clock },
): void {
  app.openapi(route, async (c) => {
    const sha256 = c.req.valid("param").sha256.toLowerCase();
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== undefined && !types.includes(type)) return refuse(c, wrongType(type));
    const got = await receiveBundle(c.env.incoming, { folder: bundles, sha256, limits, clock });
    if ("code" in got) return refuse(c, got);
    const said = { sha256, bytes: got.bytes };
    return got.isNew ? c.json(said, 201) : c.json(said, 200);
  });
}

const types = ["application/octet-stream", "application/x-git-bundle"];

function wrongType(type: string) {
  return {
    code: "unsupported_media_type",
    detail: `the body is ${JSON.stringify(type.slice(0, 100))}`,
    remedy: `send the bundle as ${types.join(" or ")}`,
  };
}

const received = z
  .object({ sha256: z.string(), bytes: z.int().meta({ description: "its size" }) })
  .meta({ id: "ReceivedBundle" });
const content = { "application/json": { schema: received } };
const file = { schema: z.string().openapi({ type: "string", format: "binary" }) };

const route = createRoute({
  method: "put",
  path: "/v1/bundles/{sha256}",
  operationId: "putBundle",
  tags: ["Bundles"],
  summary: "Send a git bundle",
  description:
    "For a job whose `repository` is `{bundle: SHA256}`. The bytes are checked against the hash; a bundle that no job has asked for within a day may be gone.",
  security: secured("run"),
  middleware: [needs("run"), noQuery, answersWith("application/json")],
  request: {
    params: z.object({
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/i, "64 hexadecimal digits")
        .meta({ description: "sha256 of the bundle's bytes, as hexadecimal digits" }),
    }),
    body: { required: true, content: { "application/octet-stream": file, "application/x-git-bundle": file } },
  },
  responses: {
    200: { description: "It was here already", content },
    201: { description: "It is here now", content },
    ...problems(400, 401, 403, 406, 408, 413, 415, 422),
  },
});
