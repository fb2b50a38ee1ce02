import { countUsage } from "./count-usage.ts";
import type { Told } from "./endpoint-process.ts";
import type { Place } from "./stage.ts";
import type { Store, StoredEvent } from "./store.ts";

/**
 * Holds what is stored, what the endpoint was asked, and what lies in the folders against what is promised. It believes
 * no result and no report: each says the same as the rows, or that is a finding. Answers with what is wrong, in words.
 */
export interface Evidence {
  store: Store;
  told: Told;
  place: Place;
  /** The tree of the job when nobody disturbs it. */
  tree: string;
  /** Turns of each task. */
  turns: number;
  /** Processes that were killed. */
  kills: number;
  /** When one came back whose calls may have been held up; absent where none did. */
  revivedAt?: number;
}

export function judge(evidence: Evidence): string[] {
  return [
    ...judgeOutcome(evidence),
    ...judgeLogs(evidence.store),
    ...judgeEnds(evidence.store),
    ...judgeTasks(evidence.store),
    ...judgeCalls(evidence),
    ...judgeUsage(evidence),
    ...judgePlace(evidence),
  ];
}

function judgeOutcome({ store, tree }: Evidence): string[] {
  if (store.jobs.length === 0) return ["no job was stored"];
  return store.jobs.flatMap(({ handle, state, outcome, result }) => {
    if (state !== "finished" || !result) return [`${handle} is ${state}`];
    const wrong = result.tasks.filter(({ state: ended, landed }) => ended !== "succeeded" || !landed);
    return [
      ...say(outcome !== "succeeded", `${handle} ended ${outcome}: ${result.reason?.message}`),
      ...say(result.result_tree !== tree, `${handle} has tree ${result.result_tree}, undisturbed it is ${tree}`),
      ...wrong.map(({ id, state: ended, reason }) => `${handle}: task ${id} is ${ended}: ${reason?.message}`),
    ];
  });
}

/** Gapless by run and by job, each from 1, and the rows say how far. */
export function judgeLogs({ events, jobs, runs }: Store): string[] {
  const gaps = (name: string, rows: readonly StoredEvent[], place: "seq" | "pos") => {
    const places = rows.map((row) => row[place]).toSorted((a, b) => a - b);
    const at = places.findIndex((each, index) => each !== index + 1);
    return say(at !== -1, `${name} has ${place} ${places[at]} where ${at + 1} should be`);
  };
  const byRun = Map.groupBy(events, ({ run }) => run);
  const byJob = Map.groupBy(events, ({ job }) => job);
  const epochs = [...byRun].flatMap(([run, log]) => {
    const inOrder = log.toSorted((a, b) => a.seq - b.seq);
    const at = inOrder.findIndex(({ epoch }, index) => epoch < (inOrder[index - 1]?.epoch ?? 0));
    return say(at !== -1, `run ${run} has an older owner's event at ${inOrder[at]?.seq}`);
  });
  return [
    ...[...byRun].flatMap(([run, log]) => gaps(`run ${run}`, log, "seq")),
    ...[...byJob].flatMap(([job, log]) => gaps(`job ${job}`, log, "pos")),
    ...epochs,
    ...runs.flatMap(({ id, head }) =>
      say(head !== (byRun.get(id)?.length ?? 0), `run ${id}: head ${head} is no count`),
    ),
    ...jobs.flatMap(({ id, head }) =>
      say(head !== (byJob.get(id)?.length ?? 0), `job ${id}: head ${head} is no count`),
    ),
  ];
}

/** Everything came to one end, in its row and in its log. */
export function judgeEnds({ runs, events, jobs, approvals, requests, spans }: Store): string[] {
  const ends = Map.groupBy(
    events.filter(({ type }) => type === "run.finished"),
    ({ run }) => run,
  );
  const jobEnds = events.filter(({ type }) => type === "job.finished");
  return [
    ...runs.flatMap(({ id, state, task, kind }) => {
      const isOpen = ["queued", "running", "waiting"].includes(state);
      const count = ends.get(id)?.length ?? 0;
      const name = `${kind} run ${id} of ${task}`;
      return [
        ...say(isOpen, `${name} is ${state}`),
        ...say(kind !== "root" && count !== 1, `${name} ended ${count} times`),
      ];
    }),
    ...say(jobEnds.length !== jobs.length, `${jobs.length} jobs have ${jobEnds.length} ends`),
    ...approvals.flatMap(({ id, state }) => say(state === "pending", `approval ${id} is pending`)),
    ...say(requests[0].open > 0, `${requests[0].open} requests were not taken`),
    ...spans.flatMap(({ job, open, roots }) => [
      ...say(open > 0, `${open} spans of ${job} are open`),
      ...say(roots !== 1, `the trace of ${job} has ${roots} roots`),
    ]),
  ];
}

/** What ended is never begun again, and ends once. */
function judgeTasks({ events, tasks }: Store): string[] {
  const ended = new Map<string, number>();
  const found: string[] = [];
  for (const event of events) {
    if (event.type === "task.started") {
      const key = `${event.job} ${event.data.task_id}`;
      found.push(...say(ended.has(key), `finished task ${event.data.task_id} was run again`));
    }
    if (event.type === "task.finished") {
      const key = `${event.job} ${event.data.task_id}`;
      ended.set(key, (ended.get(key) ?? 0) + 1);
    }
  }
  for (const { job, id } of tasks) {
    const count = ended.get(`${job} ${id}`) ?? 0;
    found.push(...say(count !== 1, `task ${id} ended ${count} times`));
  }
  return found;
}

/** No answer is paid for twice: a turn is asked again only where its call was under way when its process died. */
function judgeCalls({ store, told, kills, turns, revivedAt }: Evidence): string[] {
  const taskOf = new Map(store.runs.map(({ id, task }) => [id, task ?? ""]));
  const intents = new Map<string, number>();
  const answers = new Map<string, number>();
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { run, type, data } of store.events) {
    if (type === "turn.started" || type === "turn.retried") add(intents, `${taskOf.get(run)} ${data.turn}`);
    if (type === "turn.finished") add(answers, `${taskOf.get(run)} ${data.turn}`);
  }
  const asked = new Map<string, number>();
  for (const { key } of told.asked) add(asked, key);
  const names = new Set([...intents.keys(), ...asked.keys()]);
  return [
    ...told.refused.map((error) => `the endpoint refused a call: ${error}`),
    ...[...names].flatMap((key) => {
      const [calls, meant, had] = [asked, intents, answers].map((counts) => counts.get(key) ?? 0);
      return [
        ...say(had !== 1, `turn ${key} has ${had} answers in the log`),
        ...say((calls ?? 0) > (meant ?? 0), `turn ${key}: ${calls} calls, ${meant} intents`),
        ...say((calls ?? 0) > 1 + kills, `turn ${key}: ${calls} calls at ${kills} kills`),
      ];
    }),
    ...goneBack(told, revivedAt),
    ...say(names.size > 0 && names.size % turns !== 0, `${names.size} turns are no multiple of ${turns}`),
  ];
}

/** Whoever asks for the next turn has stored the answer before: no turn comes after a later one of its task. */
function goneBack({ asked }: Told, revivedAt = Number.POSITIVE_INFINITY): string[] {
  const furthest = new Map<string, number>();
  return asked.flatMap(({ key, at }) => {
    // What was announced before, and arrives now: nobody can take it back.
    if (at >= revivedAt) return [];
    const [task = "", turn] = key.split(" ");
    const before = furthest.get(task) ?? 0;
    furthest.set(task, Math.max(before, Number(turn)));
    return say(Number(turn) < before, `turn ${key} was asked again after turn ${before}`);
  });
}

/** Tokens: of each job as its own log says, and of each answer as the endpoint counted. */
function judgeUsage({ store, told }: Evidence): string[] {
  const taskOf = new Map(store.runs.map(({ id, task }) => [id, task ?? ""]));
  const counted = Map.groupBy(told.answered, ({ key }) => key);
  const strange = store.events.flatMap((event) => {
    if (event.type !== "turn.finished") return [];
    const key = `${taskOf.get(event.run)} ${event.data.turn}`;
    const { input_tokens: input, output_tokens: output, cache_read_tokens: cacheRead } = event.data.usage;
    const isKnown = counted.get(key)?.some(({ usage }) => {
      return usage.input === input && usage.output === output && usage.cacheRead === cacheRead;
    });
    return say(!isKnown, `turn ${key} says a usage that the endpoint did not`);
  });
  return [...strange, ...store.jobs.flatMap(({ id, handle, result }) => usageOf(id, handle, { store, result }))];
}

function usageOf(
  job: string,
  handle: string,
  { store, result }: { store: Store; result: Store["jobs"][number]["result"] },
) {
  if (!result) return [];
  const log = store.events.filter((event) => event.job === job);
  const { output, input, assumed } = countUsage(log);
  const { output_tokens, input_tokens, is_assumed = false } = result.usage;
  return [
    ...say(output_tokens !== output, `${handle}: ${output_tokens} output tokens, its log has ${output}`),
    ...say(input_tokens !== input, `${handle}: ${input_tokens} input tokens, its log has ${input}`),
    ...say(is_assumed !== assumed > 0, `${handle}: is_assumed is ${is_assumed}, unanswered calls ${assumed}`),
  ];
}

function judgePlace({ store, place, tree }: Evidence): string[] {
  const branches = place.git("for-each-ref", "--format=%(refname:short) %(tree)", "refs/heads").split("\n");
  const chaos = branches.filter((line) => line.startsWith("chaos"));
  return [
    ...place.leftovers().flatMap((path) => judgeLeftover(path, { store, place })),
    ...judgeBranch(chaos, { place, tree }),
    ...say(place.git("status", "--porcelain") !== "", "the user's checkout was touched"),
  ];
}

/** On PostgreSQL a data folder may be of many processes: a checkout of one that died waits for `sheaf gc`. */
function judgeLeftover(path: string, { store, place }: Pick<Evidence, "store" | "place">): string[] {
  if (place.databaseUrl !== undefined && path.startsWith("checkouts")) return [];
  const run = store.runs.find(({ id }) => path.includes(id));
  return [`${path} was left${run ? `, of ${run.task}, whose run is ${run.state} and had ${run.epoch} owners` : ""}`];
}

/** One branch, of one commit over the base, with that tree. */
function judgeBranch(found: readonly string[], { place, tree }: Pick<Evidence, "place" | "tree">): string[] {
  const [only] = found;
  if (found.length !== 1 || only === undefined) return [`published branches are: ${found.join(", ") || "none"}`];
  const count = place.git("rev-list", "--count", `main..${only.split(" ")[0]}`);
  return [
    ...say(only !== `chaos ${tree}`, `the branch is ${only}, undisturbed it is ${tree}`),
    ...say(count !== "1", `the branch has ${count} commits over its base`),
  ];
}

function say(isWrong: boolean, what: string): string[] {
  return isWrong ? [what] : [];
}
