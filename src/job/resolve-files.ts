import { z } from "zod";
import { quoted } from "../document/found.ts";
import { readDocument, readDocuments } from "../document/read-document.ts";
import { type ScriptedTurn, scriptedTurn } from "../protocol/agent.ts";
import { Fault, type FaultCode } from "../protocol/failure.ts";
import type { NamedTexts } from "./named-texts.ts";

/** The files a job names, each read once. What a job carries in all is bounded: it goes whole into its log. */
export interface JobFiles {
  /** The turns of a scripted model. `place` is where the job file names it. Throws Fault `script`. */
  script(file: string, place: string): Promise<ScriptedTurn[]>;
  /** A recorded job, as text that is some JSON. `place` is where the job file names it. Throws Fault `script`. */
  recording(file: string, place: string): Promise<string>;
  /** The documents of an ast-grep rule file, unchecked but for being mappings. Throws Fault `rule`. */
  rules(file: string, place: string): Promise<Record<string, unknown>[]>;
}

const mostBytes = 16_000_000;

const script = z.array(scriptedTurn).min(1).max(10_000);
const rule = z.record(z.string(), z.unknown());

export function openJobFiles(named: NamedTexts): JobFiles {
  const texts = new Map<string, Promise<string>>();
  let bytes = 0;
  const load = async (file: string, place: string, code: FaultCode, maxBytes?: number) => {
    const identity = named.identity(file);
    const reading = texts.get(identity) ?? named.read(file, code, maxBytes);
    texts.set(identity, reading);
    const text = await reading.catch((thrown: unknown) => Promise.reject(placed(thrown, place)));
    bytes += Buffer.byteLength(text);
    if (bytes > mostBytes) throw tooMuch(place);
    return { text, options: { file: named.shown(file), code } };
  };
  return {
    async script(file, place) {
      const { text, options } = await load(file, place, "script");
      return readDocument(text, { ...options, schema: script, remedy: shapeOfScript }).value;
    },
    async recording(file, place) {
      const { text, options } = await load(file, place, "script", mostBytes);
      if (isJson(text)) return text;
      throw new Fault("script", `${options.file}: not JSON`, { remedy: "name a recording that sheaf wrote" });
    },
    async rules(file, place) {
      const { text, options } = await load(file, place, "rule");
      return readDocuments(text, { ...options, schema: rule }).map((document) => document.value);
    },
  };
}

const shapeOfScript = "a script is a list of turns: - { say: TEXT, calls: [{ tool: NAME, input: {...} }] }";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A file that cannot be read is a mistake at the place that names it; one that can has places of its own. */
function placed(thrown: unknown, place: string): unknown {
  if (!(thrown instanceof Fault)) return thrown;
  const options = thrown.remedy ? { remedy: thrown.remedy } : {};
  return new Fault(thrown.code, `${place}: ${thrown.message}`, { ...options, cause: thrown });
}

function tooMuch(place: string): Fault {
  const reason = `the rule and script files named up to here, counted each time, come to more than ${mostBytes / 1_000_000} MB`;
  return new Fault("job_file", `${place}: ${reason}`, { remedy: `split the job, or check ${quoted(place)}` });
}
