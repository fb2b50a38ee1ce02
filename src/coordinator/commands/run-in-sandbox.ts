import type { Command, CommandOutcome, NetworkGrant, NetworkTarget } from "../../sandbox/driver.ts";
import { attribute, networkSpan } from "../../telemetry/semconv.ts";
import { gitFolders } from "../../workspace/git-folders.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { requireSandbox } from "../refuse-unrunnable.ts";
import { namedSecrets } from "./named-secrets.ts";
import { networkTargets } from "./network-targets.ts";

/**
 * The one way from a job to a command: the tree it runs in is handed over to the sandbox's account, the git objects
 * behind it can be read, and the network and the secrets that its author named are looked up. What it was not given by
 * name it does not have.
 */
export interface SandboxOrder extends Pick<Command, "run" | "cwd" | "timeoutMs" | "env" | "stdoutBytes" | "talk"> {
  /** What asks, for a refusal: "a check". */
  what: string;
  /** As the job wrote them: `host:port` or `registry`, and names. */
  network?: readonly string[] | undefined;
  secrets?: readonly string[] | undefined;
  /** Of the span that the command hangs from. */
  traceparent: string;
  /** Ends it before the job does. */
  signal?: AbortSignal | undefined;
  /** True where what git keeps of other times and files may not be read. */
  isWithoutGit?: boolean;
}

/** `place` is where the command saw its tree. Rejects with the job's stop. Throws Fault as `Sandbox.run` does. */
export async function runInSandbox(
  order: SandboxOrder,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<CommandOutcome & { place: string }> {
  const { what, network = [], secrets = [], signal, isWithoutGit, ...command } = order;
  const sandbox = await requireSandbox(equipment, what);
  const targets = await networkTargets(network, { ...job, ceiling: equipment.ceiling });
  await sandbox.handOver(command.cwd);
  const ended = await sandbox.run({
    ...command,
    secrets: namedSecrets(secrets, equipment.ceiling),
    readable: isWithoutGit ? [] : await gitFolders(job.repository),
    ...(targets.length > 0 ? { network: grantOf(targets, order.traceparent, job) } : {}),
    signal: signal ? AbortSignal.any([job.signal, signal]) : job.signal,
  });
  return { ...ended, place: sandbox.placeOf(command.cwd) };
}

/** Every request is a span of its own below the command's. */
function grantOf(targets: readonly NetworkTarget[], parent: string, job: Job): NetworkGrant {
  return {
    targets,
    heard(request) {
      const attributes = {
        [attribute.serverAddress]: request.host || undefined,
        [attribute.serverPort]: request.port || undefined,
        [attribute.peerAddress]: request.address,
        [attribute.bytesSent]: request.bytesSent,
        [attribute.bytesReceived]: request.bytesReceived,
        [attribute.durationMs]: request.durationMs,
        [attribute.decision]: request.refused === undefined ? "allow" : "deny",
      };
      const span = job.tracer.start(networkSpan(request.host || "unreadable"), { parent, kind: "client", attributes });
      span.end(request.refused === undefined ? {} : { status: "error", message: request.refused });
    },
  };
}
