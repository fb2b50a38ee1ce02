import { isPlainRecipe, plainRecipes } from "./job-file-codemod.ts";
import { text } from "./written-text.ts";

/** The models of a job file, as people write them. Whether somebody answers under that name is not known here. */
export type WrittenModel =
  | { provider: "messages"; via: "anthropic" | "bedrock" | "vertex"; model: string }
  /** A job by id or handle, or a recording in a file. */
  | { provider: "replay"; of: string; isFile: boolean }
  | { provider: "recipe"; recipe: string }
  | { provider: "scripted"; file: string };

/** Where nothing says otherwise. */
export const defaultModel = "sonnet";

/** Names that stand for the newest model of a family: those of the Anthropic API as of SDK 1.12.0 (2026-11). */
export const modelAliases: Readonly<Record<string, string>> = {
  sonnet: "claude-sonnet-5-5",
  opus: "claude-opus-5-5",
  haiku: "claude-haiku-5-5",
};

/** What a text that `modelText` has let pass names. */
export function readModel(written: string): WrittenModel {
  const { kind, rest } = partsOf(written);
  if (kind === "scripted") return { provider: "scripted", file: rest };
  if (kind === "recipe") return { provider: "recipe", recipe: rest };
  if (kind === "replay") return { provider: "replay", of: rest, isFile: /\.json$/i.test(rest) };
  if (kind === "bedrock" || kind === "vertex") return { provider: "messages", via: kind, model: rest };
  const alias = Object.hasOwn(modelAliases, written) ? modelAliases[written] : undefined;
  return { provider: "messages", via: "anthropic", model: alias ?? written };
}

/** `sonnet`, `claude-opus-5-5`, `qwen3-coder:30b`, `bedrock/ID`, `vertex/ID`, `replay/JOB`, `scripted/FILE`, `recipe/NAME`. */
export const modelText = text({ most: 4_096 }).superRefine((written, context) => {
  const message = refusedModel(written);
  if (message) context.addIssue({ code: "custom", message });
});

const kinds = ["scripted", "recipe", "replay", "bedrock", "vertex"] as const;
type Kind = (typeof kinds)[number];

function partsOf(written: string): { kind: Kind | undefined; rest: string } {
  const kind = kinds.find((one) => written.startsWith(`${one}/`));
  return { kind, rest: kind === undefined ? written : written.slice(kind.length + 1) };
}

const missing: Readonly<Record<Kind, string>> = {
  scripted: "names no file; write scripted/FILE, relative to the job file",
  recipe: `names no recipe; write recipe/${plainRecipes.join(", recipe/")}`,
  replay: "names no job; write replay/JOB, or replay/FILE.json, relative to the job file",
  bedrock: "names no model; write bedrock/ID, by the id that Bedrock knows",
  vertex: "names no model; write vertex/ID, by the id that Vertex knows",
};

function refusedModel(written: string): string | undefined {
  const { kind, rest } = partsOf(written);
  const shown = JSON.stringify(written.slice(0, 80));
  if (kind !== undefined && rest === "") return `${shown} ${missing[kind]}`;
  if (kind === "scripted") return undefined;
  if (kind === "recipe") {
    if (isPlainRecipe(rest)) return undefined;
    return `${shown} is no recipe that ships; write recipe/${plainRecipes.join(", recipe/")}, or use a codemod step`;
  }
  if (kind === "replay" && /\.json$/i.test(rest)) return undefined;
  return refusedName(written, { kind, rest, shown });
}

const longestName = 256;

function refusedName(
  written: string,
  { kind, rest, shown }: { kind: Kind | undefined; rest: string; shown: string },
): string | undefined {
  if (kinds.some((one) => one === written)) return `${shown} ${missing[written as Kind]}`;
  if (written === "inherit") return '"inherit" is for agent files; leave the model out to use the job\'s';
  if (/[\s\p{C}]/u.test(rest)) return `${shown} is no name of a model: it holds a space or a control character`;
  if (rest.length > longestName) return `${shown} is no name of a model: it is longer than ${longestName} characters`;
  if ((kind === "bedrock" || kind === "vertex") && Object.hasOwn(modelAliases, rest)) {
    return `${shown}: there "${rest}" stands for no model; write the id that ${kind === "bedrock" ? "Bedrock" : "Vertex"} knows`;
  }
  return undefined;
}
