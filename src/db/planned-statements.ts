import { messages, type PGlite, protocol, type Results, types } from "@electric-sql/pglite";
import { bindMessage } from "./bind-message.ts";

/**
 * Statements that come again and again are planned once in a while instead of each time: for the embedded database
 * reading and planning one is ten times the work of doing it. It knows only texts, whose values are parameters, and
 * never changes what a statement does. Its caller has the connection to itself, outside of any transaction.
 */
export class PlannedStatements {
  readonly #client: Client;
  /** By text; the one that was not asked for longest is the first. */
  readonly #statements = new Map<string, Statement>();
  readonly #old: string[] = [];
  #named = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Whether this one comes often enough. To be asked each time. */
  isUsual(text: string): boolean {
    const statement = this.#statements.get(text) ?? { seen: 0, plan: undefined };
    statement.seen += 1;
    this.#statements.delete(text);
    this.#statements.set(text, statement);
    if (this.#statements.size > mostStatements) this.#forgetOldest();
    return statement.seen > timesBefore;
  }

  async run<Row>(text: string, values: readonly unknown[], options: Reading = {}): Promise<Results<Row>> {
    const { name, parameters, fields } = await this.#planOf(text);
    const { serializers } = this.#client;
    const write = (value: unknown, type: number) =>
      value instanceof Uint8Array ? value : (serializers[type]?.(value) ?? value);
    try {
      const answer = await this.#client.execProtocolStream(bindMessage(values, { name, types: parameters, write }));
      const parsers = { usual: this.#client.parsers, own: options.parsers };
      return resultOf(answer, { fields, parsers, rowMode: options.rowMode });
    } catch (thrown) {
      // Whatever it was, the next one starts anew.
      this.#forget(text);
      throw thrown;
    }
  }

  async #planOf(text: string): Promise<Plan> {
    const { plan } = this.#statements.get(text) ?? {};
    if (plan && plan.uses < usesOfPlan) {
      plan.uses += 1;
      return plan;
    }
    this.#forget(text);
    this.#named += 1;
    const name = `sheaf_${this.#named}`;
    const { serialize } = protocol;
    const asked = [
      ...this.#old.splice(0).map((old) => serialize.close({ type: "S", name: old })),
      serialize.parse({ name, text }),
      serialize.describe({ type: "S", name }),
      serialize.sync(),
    ];
    const answer = await this.#client.execProtocolStream(Buffer.concat(asked));
    const made = { name, uses: 1, ...described(answer) };
    this.#statements.set(text, { seen: timesBefore, plan: made });
    return made;
  }

  #forgetOldest(): void {
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(text: string): void {
    const plan = this.#statements.get(text)?.plan;
    this.#statements.delete(text);
    if (plan) this.#old.push(plan.name);
  }
}

type Client = Pick<PGlite, "execProtocolStream" | "serializers" | "parsers">;

interface Reading {
  rowMode?: "array" | "object";
  parsers?: Readonly<Record<number, (text: string) => unknown>>;
}

interface Statement {
  seen: number;
  plan: Plan | undefined;
}

interface Plan {
  name: string;
  uses: number;
  parameters: readonly number[];
  fields: readonly Field[];
}

interface Field {
  name: string;
  dataTypeID: number;
}

/** A text that came so often comes again. */
const timesBefore = 2;
const mostStatements = 100;
/** A plan is made for tables of the size that they have. After so many uses they may be of another. */
const usesOfPlan = 250;

type Answer = Awaited<ReturnType<PGlite["execProtocolStream"]>>;

function described(answer: Answer): Pick<Plan, "parameters" | "fields"> {
  const parameters = answer.find((message) => message instanceof messages.ParameterDescriptionMessage);
  const fields = answer.find((message) => message instanceof messages.RowDescriptionMessage);
  return { parameters: parameters?.dataTypeIDs ?? [], fields: fields?.fields ?? [] };
}

interface Shape {
  fields: readonly Field[];
  rowMode: Reading["rowMode"];
  parsers: { usual: PGlite["parsers"]; own: Reading["parsers"] };
}

function resultOf<Row>(answer: Answer, shape: Shape): Results<Row> {
  const result: Results<Row> = { rows: [], fields: [...shape.fields], affectedRows: 0 };
  for (const message of answer) {
    if (message instanceof messages.DataRowMessage) result.rows.push(rowOf(message.fields, shape) as Row);
    else if (message instanceof messages.CommandCompleteMessage) result.affectedRows = affected(message.text);
  }
  return result;
}

function rowOf(texts: readonly (string | null)[], { fields, rowMode, parsers: { own, usual } }: Shape): unknown {
  const values = fields.map(({ dataTypeID: type }, index) =>
    types.parseType(texts[index] ?? null, type, own?.[type] ? own : usual),
  );
  return rowMode === "array" ? values : Object.fromEntries(fields.map(({ name }, index) => [name, values[index]]));
}

/** "INSERT 0 5", "UPDATE 3"; what only reads affects nothing. */
function affected(tag: string): number {
  return /^(?:INSERT|UPDATE|DELETE|COPY|MERGE)\b/.test(tag) ? Number(tag.slice(tag.lastIndexOf(" ") + 1)) : 0;
}
