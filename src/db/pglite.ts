import { PGlite, type PGliteOptions, type QueryOptions, type Results } from "@electric-sql/pglite";
import { PlannedStatements } from "./planned-statements.ts";

const bytea = 17;

/** 32 MB of shared buffers (128 by default: 100 MB and 0.1 s more), and bytes turned into hex by Buffer at once. */
const options: PGliteOptions = {
  startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=32MB"],
  // Read by initdb alone: small segments of the write-ahead log, so that a new database is small.
  initDbStartParams: ["--wal-segsize=1", "--no-instructions"],
  serializers: { [bytea]: (bytes: Uint8Array) => `\\x${Buffer.from(bytes).toString("hex")}` },
  parsers: { [bytea]: (text: string) => Buffer.from(text.slice(2), "hex") },
};

/** Starts the embedded database on `folder`, which it makes when there is none. */
export async function startPglite(folder: string): Promise<MortalPglite> {
  const client = new MortalPglite(folder, options);
  await client.waitReady;
  return client;
}

/**
 * A PGlite that stays dead once it has died. PostgreSQL panics when it cannot write its log (a full disk) and expects
 * to be restarted; PGlite answers the next statement with an endless loop instead, which would hang the process.
 * What was committed is on disk, and the next start recovers it.
 */
export class MortalPglite extends PGlite {
  #cause: unknown;
  readonly #planned = new PlannedStatements(this);

  override async query<Row>(text: string, values?: unknown[], options?: QueryOptions): Promise<Results<Row>> {
    if (options?.paramTypes || options?.blob || options?.serializers || !this.#planned.isUsual(text)) {
      return super.query(text, values, options);
    }
    await this._checkReady();
    return this._runExclusiveTransaction(() =>
      this._runExclusiveQuery(() => this.#planned.run<Row>(text, values ?? [], options)),
    );
  }

  override async execProtocolStream(
    ...call: Parameters<PGlite["execProtocolStream"]>
  ): ReturnType<PGlite["execProtocolStream"]> {
    if (this.#cause) throw this.#cause;
    try {
      return await super.execProtocolStream(...call);
    } catch (thrown) {
      if (isDeath(thrown)) this.#cause = thrown;
      throw thrown;
    }
  }

  override async close(): Promise<void> {
    if (!this.#cause && !this.closed) await super.close();
  }
}

function isDeath(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if ("severity" in thrown) return thrown.severity === "PANIC" || thrown.severity === "FATAL";
  // A trap of the WebAssembly machine, or its exit.
  return thrown.name === "RuntimeError" || thrown.name === "ExitStatus";
}
