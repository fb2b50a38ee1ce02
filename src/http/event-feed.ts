import type { Coordinator, PlacedEvent } from "../coordinator/coordinator.ts";
import type { JobId } from "../protocol/ids.ts";

/**
 * One job's events as server-sent events, made into bytes once for however many read them. It is pulled: nothing is
 * read from the store that no reader asked for, and it remembers only so much.
 */
export class EventFeed {
  readonly #id: JobId;
  readonly #coordinator: Pick<Coordinator, "events">;
  readonly #stop = new AbortController();
  /** The newest last. Ranges may overlap: a reader who resumes in the middle makes a page of its own. */
  #batches: Batch[] = [];
  #bytes = 0;
  readonly #pages = new Map<number, Promise<Batch[]>>();
  #tail: Tail | undefined;
  #pulling: Promise<void> | undefined;
  /** Where the job's last event is, once it is known. */
  #end: number | undefined;

  constructor(id: JobId, coordinator: Pick<Coordinator, "events">) {
    this.#id = id;
    this.#coordinator = coordinator;
  }

  /** Some of what follows `position`, an event that is stored (or 0); waits for it, and answers undefined when there is no more. Rejects with the store. */
  async next(position: number): Promise<Chunk | undefined> {
    for (;;) {
      const batch = this.#covering(position);
      if (batch) return chunkAfter(batch, position);
      if (this.#stop.signal.aborted || (this.#end !== undefined && position >= this.#end)) return undefined;
      if (this.#tail?.position === position) await this.#pull(this.#tail);
      else if ((await this.#page(position)).length === 0 && !this.#follow(position)) return undefined;
    }
  }

  close(): void {
    this.#stop.abort();
    this.#letGo();
  }

  #covering(position: number): Batch | undefined {
    return this.#batches.findLast((batch) => batch.from <= position && position < batch.to);
  }

  /** One page of what is stored, read once for all who ask for it meanwhile. */
  #page(after: number): Promise<Batch[]> {
    const running = this.#pages.get(after);
    if (running !== undefined) return running;
    const page = this.#readPage(after).finally(() => this.#pages.delete(after));
    this.#pages.set(after, page);
    return page;
  }

  async #readPage(after: number): Promise<Batch[]> {
    const options = { after, isFollowed: false, signal: this.#stop.signal };
    for await (const events of this.#coordinator.events(this.#id, options)) {
      if (events.length > 0) return this.#keep(events, after);
    }
    return [];
  }

  /** `position` is the head of the log: what comes now is heard of as it comes. False when nothing will. */
  #follow(position: number): boolean {
    if (this.#end !== undefined) return false;
    if (this.#tail && this.#tail.position >= position) return true;
    this.#letGo();
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#stop.signal]);
    const events = this.#coordinator.events(this.#id, { after: position, isFollowed: true, signal });
    this.#tail = { position, stop, source: events[Symbol.asyncIterator]() };
    return true;
  }

  #letGo(): void {
    this.#tail?.stop.abort();
    this.#tail?.source.return?.().catch(() => {});
    this.#tail = undefined;
  }

  #pull(tail: Tail): Promise<void> {
    this.#pulling ??= this.#pullOnce(tail).finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #pullOnce(tail: Tail): Promise<void> {
    const { value: events = [], done: isDone } = await tail.source.next().catch((thrown: unknown) => {
      if (this.#tail === tail) this.#letGo();
      if (tail.stop.signal.aborted || this.#stop.signal.aborted) return { value: [], done: false };
      throw thrown;
    });
    if (events.length > 0) {
      this.#keep(events, tail.position);
      tail.position = events.at(-1)?.pos ?? tail.position;
    }
    if (isDone && this.#tail === tail) {
      // It ends by itself only after job.finished, so whatever it held was the rest.
      this.#end ??= tail.position;
      this.#letGo();
    }
  }

  #keep(events: readonly PlacedEvent[], after: number): Batch[] {
    const made = encode(events, after);
    for (const batch of made) {
      this.#batches.push(batch);
      this.#bytes += batch.bytes.length;
      if (batch.isEnd) this.#end = batch.to;
    }
    while (this.#bytes > mostBytes && this.#batches.length > made.length) {
      this.#bytes -= this.#batches.shift()?.bytes.length ?? 0;
    }
    return made;
  }
}

/** Bytes of whole events: those after the reader's position, up to `to`. */
export interface Chunk {
  bytes: Uint8Array;
  to: number;
  /** Its last event is the job's last. */
  isEnd: boolean;
}

/** The events `from`+1 to `to`. `ends` are the places in `bytes` at which each of them ends. */
interface Batch {
  from: number;
  to: number;
  bytes: Uint8Array;
  ends: number[];
  isEnd: boolean;
}

interface Tail {
  position: number;
  stop: AbortController;
  source: AsyncIterator<PlacedEvent[], undefined>;
}

/** What a feed remembers; behind it a reader is served from the store. */
const mostBytes = 4 * 1024 * 1024;
/** A reader holds one batch at a time, and more only where a single event is larger. */
const batchBytes = 256 * 1024;
function encode(events: readonly PlacedEvent[], after: number): Batch[] {
  const batches: Batch[] = [];
  let texts: string[] = [];
  let ends: number[] = [];
  let from = after;
  let size = 0;
  for (const placed of events) {
    const text = `id: ${placed.pos}\nevent: ${placed.event.type}\ndata: ${JSON.stringify(placed.event)}\n\n`;
    texts.push(text);
    size += Buffer.byteLength(text);
    ends.push(size);
    const isEnd = endsJob(placed);
    if (size < batchBytes && placed !== events.at(-1) && !isEnd) continue;
    batches.push({ from, to: placed.pos, bytes: Buffer.from(texts.join("")), ends, isEnd });
    if (isEnd) break;
    texts = [];
    ends = [];
    size = 0;
    from = placed.pos;
  }
  return batches;
}

function endsJob(placed: PlacedEvent | undefined): boolean {
  return placed?.event.type === "job.finished";
}

/** Positions of a job are gapless, so the place of an event in its batch is its distance from the batch's beginning. */
function chunkAfter({ from, to, bytes, ends, isEnd }: Batch, position: number): Chunk {
  const start = position === from ? 0 : (ends[position - from - 1] ?? 0);
  return { bytes: start === 0 ? bytes : bytes.subarray(start), to, isEnd };
}
