import type { Coordinator } from "../coordinator/coordinator.ts";
import type { JobId } from "../protocol/ids.ts";
import { EventFeed } from "./event-feed.ts";

/** The feeds of the jobs that somebody reads now: one a job, gone with its last reader. */
export class EventFeeds {
  readonly #coordinator: Pick<Coordinator, "events">;
  readonly #open = new Map<JobId, { feed: EventFeed; readers: number }>();

  constructor(coordinator: Pick<Coordinator, "events">) {
    this.#coordinator = coordinator;
  }

  /** How many read now: of all jobs, and of this one. */
  readers(id: JobId): { all: number; ofJob: number } {
    const all = [...this.#open.values()].reduce((sum, { readers }) => sum + readers, 0);
    return { all, ofJob: this.#open.get(id)?.readers ?? 0 };
  }

  /** The caller disposes what it gets once it reads no more. */
  enter(id: JobId): Disposable & { feed: EventFeed } {
    const entry = this.#open.get(id) ?? { feed: new EventFeed(id, this.#coordinator), readers: 0 };
    this.#open.set(id, entry);
    entry.readers += 1;
    let isInside = true;
    const leave = () => {
      if (!isInside) return;
      isInside = false;
      entry.readers -= 1;
      if (entry.readers > 0) return;
      this.#open.delete(id);
      entry.feed.close();
    };
    return { feed: entry.feed, [Symbol.dispose]: leave };
  }
}
