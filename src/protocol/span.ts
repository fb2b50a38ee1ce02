import { z } from "zod";

const attributeValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
export const attributes = z.record(z.string(), attributeValue);
export type Attributes = z.infer<typeof attributes>;

const hexTrace = z.string().regex(/^[0-9a-f]{32}$/);
const hexSpan = z.string().regex(/^[0-9a-f]{16}$/);

export const spanStart = z.object({
  trace_id: hexTrace,
  span_id: hexSpan,
  /** Absent only on a job's root without a caller's context. */
  parent_span_id: hexSpan.optional(),
  name: z.string(),
  kind: z.enum(["internal", "client", "server"]),
  /** Nanoseconds since the epoch, as a decimal string: a JSON number cannot hold them. */
  start_ns: z.string().regex(/^\d+$/),
  attributes,
});
export type SpanStart = z.infer<typeof spanStart>;

/** A finished span repeats its start, so that one message is enough to store it. */
export const spanEnd = spanStart.extend({
  end_ns: z.string().regex(/^\d+$/),
  status: z.enum(["unset", "ok", "error"]),
  status_message: z.string().optional(),
  events: z.array(z.object({ name: z.string(), at_ns: z.string(), attributes })),
  links: z.array(z.object({ trace_id: hexTrace, span_id: hexSpan })),
});
export type SpanEnd = z.infer<typeof spanEnd>;

/** What a worker thread posts about its spans, one message per start and per end. */
export const spanMessage = z.discriminatedUnion("at", [
  z.object({ at: z.literal("start"), span: spanStart }),
  z.object({ at: z.literal("end"), span: spanEnd }),
]);
export type SpanMessage = z.infer<typeof spanMessage>;

/** A span as the store holds it: redacted, with its owner. Stored again under the same ids when it ends. */
export const storedSpan = spanStart.extend({
  job_id: z.string(),
  /** Absent on spans of the job itself. */
  run_id: z.string().optional(),
  /** Nanoseconds it took, as a decimal string; null while it is open. */
  dur_ns: z.string().regex(/^\d+$/).nullable(),
  status: spanEnd.shape.status,
  status_message: z.string().optional(),
  events: spanEnd.shape.events,
  links: spanEnd.shape.links,
});
export type StoredSpan = z.infer<typeof storedSpan>;
