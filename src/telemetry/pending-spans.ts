import type { SpanStart, StoredSpan } from "../protocol/span.ts";

/** A span to be written, and how to make its row once it is. `bytes` is a rough size. */
export interface Entry {
  span: Pick<SpanStart, "trace_id" | "span_id" | "parent_span_id">;
  bytes: number;
  row(): StoredSpan;
}

export interface Pending extends Entry {
  /** Milliseconds since the epoch; 0 of what has ended. */
  dueAt: number;
}

/** Spans on their way to the store, each once, a parent before what is below it. It hands out no child without its parent. */
export class PendingSpans {
  /** In order of start, but for those the store has already as open ones. */
  readonly #entries = new Map<string, Pending>();
  #bytes = 0;
  #ended = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get ended(): number {
    return this.#ended;
  }

  /** In the place of its earlier self. */
  put(entry: Pending): void {
    const key = keyOf(entry.span);
    this.#count(this.#entries.get(key), -1);
    this.#entries.set(key, entry);
    this.#count(entry, 1);
  }

  /** Those that are due, with all that they hang from: at most so many, and more bytes than that only where one has them. */
  take(now: number, most: { rows: number; bytes: number }): Pending[] {
    const above = this.#aboveDue(now);
    const taken: [string, Pending][] = [];
    let bytes = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.dueAt > now && !above.has(key)) continue;
      if (taken.length >= most.rows || (taken.length > 0 && bytes + entry.bytes > most.bytes)) break;
      bytes += entry.bytes;
      taken.push([key, entry]);
    }
    return taken.map(([key, entry]) => this.#remove(key, entry));
  }

  /** Those that were taken and could not be stored: in front again, as their newer selves where they have such. */
  putBack(batch: readonly Pending[]): void {
    const later = [...this.#entries];
    for (const entry of batch) if (!this.#entries.has(keyOf(entry.span))) this.#count(entry, 1);
    this.#entries.clear();
    for (const entry of batch) this.#entries.set(keyOf(entry.span), entry);
    for (const [key, entry] of later) this.#entries.set(key, entry);
  }

  #aboveDue(now: number): Set<string> {
    const above = new Set<string>();
    for (const entry of this.#entries.values()) {
      let parent = entry.dueAt <= now ? parentOf(entry) : undefined;
      while (parent !== undefined && !above.has(parent)) {
        above.add(parent);
        const next = this.#entries.get(parent);
        parent = next && parentOf(next);
      }
    }
    return above;
  }

  #remove(key: string, entry: Pending): Pending {
    this.#entries.delete(key);
    this.#count(entry, -1);
    return entry;
  }

  #count(entry: Pending | undefined, sign: 1 | -1): void {
    if (!entry) return;
    this.#bytes += sign * entry.bytes;
    if (entry.dueAt === 0) this.#ended += sign;
  }
}

function keyOf(span: Entry["span"]): string {
  return span.trace_id + span.span_id;
}

function parentOf({ span }: Pending): string | undefined {
  return span.parent_span_id === undefined ? undefined : span.trace_id + span.parent_span_id;
}
