import { createMiddleware } from "hono/factory";
import { type HttpEnv, refuse } from "./exchange.ts";

/** Refuses whom the one type that an address answers with is no use to (RFC 9110, 12.5.1). */
export function answersWith(type: string) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const accept = c.req.header("accept");
    if (accept === undefined || takes(accept, type)) return next();
    return refuse(c, {
      code: "not_acceptable",
      detail: `this is answered as ${type}; the request takes only ${JSON.stringify(accept.slice(0, 200))}`,
      remedy: `send \`Accept: ${type}\`, or no Accept header`,
    });
  });
}

/** The most exact range that covers the type decides. */
function takes(accept: string, type: string): boolean {
  const [family] = type.split("/");
  const ranges = accept.split(",").map(parse);
  const covering = [type, `${family}/*`, "*/*"];
  const best = covering.map((range) => ranges.find((one) => one.range === range)).find((one) => one !== undefined);
  return best !== undefined && best.quality > 0;
}

function parse(part: string): { range: string; quality: number } {
  const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const quality = weight === undefined ? 1 : Number(weight);
  return { range, quality: Number.isNaN(quality) ? 0 : quality };
}
