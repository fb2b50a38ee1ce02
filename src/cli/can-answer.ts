import { Fault } from "../protocol/failure.ts";
import type { Session } from "./session.ts";

/** Whether whoever sits here would be heard: on a server that takes a token with the scope approve. */
export async function canAnswer({ reach, coordinator }: Pick<Session, "reach" | "coordinator">): Promise<boolean> {
  if (reach !== "server") return true;
  try {
    await coordinator.approvals({ limit: 1 });
    return true;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "credentials") return false;
    throw thrown;
  }
}
