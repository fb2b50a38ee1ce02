import { createMiddleware } from "hono/factory";
import { type HttpEnv, refuse } from "./exchange.ts";

/** Refuses what expects more of this server than `100 Continue`, which Node has answered by now (RFC 9110, 10.1.1). */
export const onlyMetExpectations = createMiddleware<HttpEnv>(async (c, next) => {
  const expectation = c.req.header("expect");
  if (expectation === undefined || /(?:^|\W)100-continue(?:$|\W)/i.test(expectation)) return next();
  return refuse(c, {
    code: "expectation_failed",
    detail: "the request expects what this server does not do",
    remedy: "leave the header Expect away, or send `Expect: 100-continue`",
    headers: { connection: "close" },
  });
});
