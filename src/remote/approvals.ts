import { z } from "zod";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { approvalView } from "../protocol/approval.ts";
import { Fault } from "../protocol/failure.ts";
import type { Connection } from "./connection.ts";

/** Questions to people, in another process. Who answers is known there: by the token, or as the operator. */
export function remoteApprovals(
  connection: Connection,
): Pick<Coordinator, "approvals" | "approval" | "decideApproval"> {
  const show = (id: string) => unlessRefused(() => connection.json({ path: pathOf(id) }, approvalView));
  return {
    async approvals({ job, state, prefix, limit, after }) {
      const query = new URLSearchParams({ limit: String(Math.min(limit, mostOfPage)) });
      for (const [name, value] of Object.entries({ job, state, prefix, cursor: after })) {
        if (value !== undefined) query.set(name, value);
      }
      const page = await connection.json({ path: `/v1/approvals?${query}` }, approvalPage);
      return { approvals: page.data, ...(page.next_cursor === null ? {} : { next: page.next_cursor }) };
    },
    approval: async (id) => (await show(id)).value,
    async decideApproval(id, body) {
      const order = { method: "POST", path: pathOf(id), body } as const;
      const decided = await unlessRefused(() => connection.json(order, approvalView));
      if (decided.value) return { kind: "decided", approval: decided.value };
      // Not there, or settled by somebody: what it is now says which.
      const { value: approval } = await show(id);
      if (!approval) return { kind: "unknown" };
      if (approval.state === "pending") throw decided.refusal;
      return { kind: "settled", approval };
    },
  };
}

function pathOf(id: string): string {
  return `/v1/approvals/${encodeURIComponent(id)}`;
}

/** A request that the server will not do, for a reason that no Fault has: there is no such thing, or it is settled. */
async function unlessRefused<T>(ask: () => Promise<T>): Promise<{ value?: T; refusal?: Fault }> {
  try {
    return { value: await ask() };
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "usage") return { refusal: thrown };
    throw thrown;
  }
}

const mostOfPage = 200;
const approvalPage = z.object({ data: z.array(approvalView), next_cursor: z.string().nullable() });
