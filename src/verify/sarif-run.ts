import { z } from "zod";
import type { Finding } from "../protocol/part.ts";
import { position } from "./eslint.ts";
import { reportPath, withoutRoot } from "./report-path.ts";

/** The parts of one run in a SARIF log (OASIS, sarif-v2.1.0) that a finding is put together from. */

const artifactPlace = z.looseObject({
  uri: z.string().optional(),
  uriBaseId: z.string().optional(),
  index: z.number().optional(),
});
const place = z.looseObject({
  physicalLocation: z
    .looseObject({
      artifactLocation: artifactPlace.optional(),
      region: z.looseObject({ startLine: z.number().optional(), startColumn: z.number().optional() }).optional(),
    })
    .optional(),
});
const words = z.looseObject({
  text: z.string().optional(),
  id: z.string().optional(),
  arguments: z.array(z.string()).optional(),
});
const ruleReference = z.looseObject({ id: z.string().optional(), index: z.number().optional() });
const result = z.looseObject({
  ruleId: z.string().optional(),
  ruleIndex: z.number().optional(),
  rule: ruleReference.optional(),
  level: z.string().optional(),
  kind: z.string().optional(),
  baselineState: z.string().optional(),
  message: words,
  locations: z.array(place).optional(),
  suppressions: z.array(z.looseObject({ status: z.string().optional() })).nullish(),
});
export type SarifResult = z.infer<typeof result>;

const notification = z.looseObject({
  level: z.string().optional(),
  message: words,
  locations: z.array(place).optional(),
  descriptor: ruleReference.optional(),
  associatedRule: ruleReference.optional(),
});
const rule = z.looseObject({
  id: z.string(),
  defaultConfiguration: z.looseObject({ level: z.string().optional() }).optional(),
  messageStrings: z.record(z.string(), z.looseObject({ text: z.string().optional() })).optional(),
});
export const sarifRun = z.looseObject({
  tool: z.looseObject({ driver: z.looseObject({ name: z.string(), rules: z.array(rule).optional() }) }),
  results: z.array(result).nullish(),
  artifacts: z.array(z.looseObject({ location: artifactPlace.optional() })).optional(),
  originalUriBaseIds: z.record(z.string(), artifactPlace).optional(),
  externalPropertyFileReferences: z.looseObject({ results: z.unknown().optional() }).optional(),
  invocations: z
    .array(
      z.looseObject({
        executionSuccessful: z.boolean().optional(),
        toolExecutionNotifications: z.array(notification).optional(),
        toolConfigurationNotifications: z.array(notification).optional(),
      }),
    )
    .optional(),
});
export type SarifRun = z.infer<typeof sarifRun>;

/** Puts findings together from what a run says in several places. `root` is the checkout the tool ran in. */
export function openSarifRun(run: SarifRun, root: string) {
  const rules = run.tool.driver.rules ?? [];
  const byId = new Map(rules.map((one) => [one.id, one]));
  const ruleOf = (one: SarifResult) => {
    const index = one.ruleIndex ?? one.rule?.index ?? -1;
    const id = one.ruleId ?? one.rule?.id;
    return { id: id ?? rules[index]?.id, rule: rules[index] ?? (id === undefined ? undefined : byId.get(id)) };
  };
  return {
    levelOf: (one: SarifResult) => one.level ?? ruleOf(one).rule?.defaultConfiguration?.level ?? "warning",
    findingOf(one: SarifResult): Finding {
      const { id, rule } = ruleOf(one);
      const physical = one.locations?.[0]?.physicalLocation;
      const { text, id: messageId = "", arguments: given = [] } = one.message;
      const template = text ?? rule?.messageStrings?.[messageId]?.text ?? messageId;
      const message = template.replace(/\{(\d+)\}/g, (whole, index: string) => given[Number(index)] ?? whole);
      return {
        path: pathOf(run, physical?.artifactLocation, root),
        message: withoutRoot(message || "no message", root),
        ...(id ? { rule: id } : {}),
        ...position(physical?.region?.startLine, physical?.region?.startColumn),
      };
    },
  };
}

type ArtifactPlace = z.infer<typeof artifactPlace>;

/** Bases may stand on bases; a chain longer than this is a circle. */
const mostBases = 10;

function pathOf(run: SarifRun, written: ArtifactPlace | undefined, root: string): string {
  const indexed = written?.uri === undefined ? run.artifacts?.[written?.index ?? -1]?.location : undefined;
  let at = indexed ?? written;
  let uri = at?.uri ?? "";
  for (let step = 0; at?.uriBaseId !== undefined && step < mostBases; step++) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) break;
    at = run.originalUriBaseIds?.[at.uriBaseId];
    uri = `${at?.uri ?? ""}${uri}`;
  }
  return uri === "" ? "." : reportPath(fromUri(uri), root);
}

function fromUri(uri: string): string {
  const plain = uri.replace(/^file:(\/\/[^/]*)?(?=\/)/i, "");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
