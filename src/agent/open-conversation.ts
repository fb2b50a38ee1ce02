import type { Files } from "../files/files.ts";
import type { Model } from "../model/model.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { noUsage } from "../protocol/message.ts";
import type { RunOrder } from "../protocol/thread.ts";
import type { Span, Tracer } from "../telemetry/thread-tracer.ts";
import { toolSchemas } from "../tools/catalog.ts";
import { createFold } from "../transcript/fold.ts";
import { defaultPolicy } from "../transcript/shorten.ts";
import { systemPrompt, taskPrompt } from "./brief.ts";
import type { Conversation } from "./conversation.ts";
import type { Line } from "./line.ts";
import { noLoopWatch, openLoopWatch } from "./loop-watch.ts";
import { openingOf } from "./opening.ts";

export interface Seat {
  line: Line;
  tracer: Tracer;
  span: Span;
  files: Files;
  model: Model;
  /** Facts that there are already. */
  unlogged: ThreadFact[];
}

/** A run before its first turn. */
export function openConversation(order: RunOrder, { files, ...seat }: Seat): Conversation {
  const { scope, workspace } = order;
  return {
    ...seat,
    ...frontOf(order),
    endpoint: order.model?.endpoint,
    toolContext: {
      scope,
      files,
      asking: seat.line,
      tracer: seat.tracer,
      objectFormat: workspace.object_format,
      isCaseInsensitive: workspace.is_case_insensitive,
    },
    news: [],
    turns: 0,
    maxTurns: order.max_turns,
    past: new Map(order.past?.map((past) => [past.turn, past])),
    usage: noUsage,
    scale: 1,
    answerTokens: usualAnswer,
    fruitless: 0,
  };
}

/** Tokens: long enough for a file of some size, short enough to reserve. */
const usualAnswer = 8_192;

type Front = Pick<Conversation, "spec" | "isScript" | "system" | "tools" | "hasBrief" | "opening" | "fold" | "loops">;

/** All that stands still while a run goes on. A recipe reads none of it, and nobody has to know what it was told. */
function frontOf(order: RunOrder): Front {
  const { brief } = order;
  const spec = order.agent.model;
  const isRecipe = spec.provider === "recipe";
  const [system, prompt] = [systemPrompt(order), taskPrompt(order)];
  const tools = [...toolSchemas(order.scope.tools), ...(order.tools ?? [])];
  return {
    spec,
    isScript: isRecipe || spec.provider === "scripted",
    system,
    tools,
    hasBrief: brief.trim() !== "",
    opening: isRecipe ? undefined : openingOf({ system, tools, brief, prompt }),
    fold: createFold({ brief, prompt }, defaultPolicy),
    loops: isRecipe ? noLoopWatch : openLoopWatch(),
  };
}
