import { randomBytes } from "node:crypto";
import type { BaseQuestions } from "../coordinator/plan/look-at-base.ts";
import { scanTree } from "../coordinator/plan/scan-tree.ts";
import { openThreads } from "../coordinator/threads/open-threads.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Surroundings } from "./session.ts";

/** What a plan may ask of the base without a store: threads that look for text, begun by the first such question. */
export function openPlanThreads(
  { config, now }: Surroundings,
  repository: Repository,
): BaseQuestions & AsyncDisposable {
  const clock: Clock = { now, random: randomBytes };
  let opened: ReturnType<typeof openThreads> | undefined;
  const pool = () => {
    opened ??= openThreads({ threads: config.threads }, clock);
    return opened;
  };
  const equipment = { clock, home: config.home, threads: config.threads, pool };
  return {
    threads: config.threads,
    scan: (order) => scanTree(order, { repository, equipment, signal: new AbortController().signal }),
    async [Symbol.asyncDispose]() {
      opened?.watch.close();
      await opened?.pool.close();
    },
  };
}
