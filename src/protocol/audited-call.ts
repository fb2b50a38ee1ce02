import { z } from "zod";

/** A call that asked the server for a change, as the audit log tells it: never a body, a query, a header or a secret. */
export const auditedCall = z.object({
  id: z.uuid(),
  at: z.iso.datetime().meta({ description: "when it came, before anything was done" }),
  actor: z.string().nullable().meta({ description: "the token's name, or `operator`; null without a valid token" }),
  address: z.string().nullable().meta({ description: "where the connection came from; null at the socket" }),
  method: z.string(),
  path: z.string(),
  request_id: z.string().meta({ description: "as in X-Request-Id, `instance` of a problem and the server's log" }),
  status: z.int().nullable().meta({ description: "what it was answered with; null if the server ended before" }),
  answered_at: z.iso.datetime().nullable(),
});
export type AuditedCall = z.infer<typeof auditedCall>;

/** Newest first; `next` is the cursor of the page after, absent on the last. */
export interface AuditPage {
  calls: AuditedCall[];
  next?: string;
}
