/** What one client may cost. Sizes are bytes, times milliseconds. */
export interface HttpLimits {
  /** Of a JSON body. */
  bodyBytes: number;
  /** Of one git bundle. */
  bundleBytes: number;
  /** Of all headers of a request together, its first line included. */
  headerBytes: number;
  /** Open at a time; the next are closed at once. */
  connections: number;
  /** From the first byte of a request to the end of its headers. */
  headersMs: number;
  /** From there to the end of a JSON body. */
  bodyMs: number;
  /** A bundle of which nothing more arrives for that long is given up. */
  bundleIdleMs: number;
  /** For a whole request to arrive, bundles included. */
  requestMs: number;
  /** A connection that asks nothing more. */
  idleMs: number;
  /** Readers of events at a time: of the whole server, and of one job. */
  streams: number;
  streamsPerJob: number;
  /** Between the comments that keep a stream of events open. */
  heartbeatMs: number;
  /** A reader who takes nothing for that long is dropped. */
  stallMs: number;
  /** What requests under way get when the server stops. */
  drainMs: number;
}

export const defaultLimits: HttpLimits = {
  bodyBytes: 1_000_000,
  bundleBytes: 512_000_000,
  headerBytes: 16_384,
  connections: 2_000,
  headersMs: 10_000,
  bodyMs: 30_000,
  bundleIdleMs: 30_000,
  requestMs: 3_600_000,
  idleMs: 30_000,
  streams: 1_800,
  streamsPerJob: 1_200,
  heartbeatMs: 15_000,
  stallMs: 60_000,
  drainMs: 10_000,
};
