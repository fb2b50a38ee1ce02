import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { quoted } from "./found.ts";
import type { ParsedDocument } from "./parse-yaml.ts";
import type { Problem } from "./problem.ts";

/** The value of a document, what was wrong in it, and the node that each alias stands for. */
export interface PlainValue {
  value: unknown;
  problems: Problem[];
  aliases: Map<Alias, Node>;
  /** True when its aliases stand for more than may be expanded. */
  isTooLarge: boolean;
}

/** Aliases share their value here, so the work follows the file; what they would expand to is counted, not built. */
export function plainValue(document: ParsedDocument): PlainValue {
  const reading: Reading = { anchors: new Map(), aliases: new Map(), problems: [], isTooLarge: false };
  const { value } = read(document.contents, reading);
  return { value, problems: reading.problems, aliases: reading.aliases, isTooLarge: reading.isTooLarge };
}

const mostNodes = 500_000;

interface Sized {
  value: unknown;
  /** How many nodes it is when every alias is written out. */
  size: number;
}

interface Reading extends Omit<PlainValue, "value"> {
  anchors: Map<string, Sized & { node: Node }>;
}

function read(node: unknown, reading: Reading): Sized {
  if (isAlias(node)) return readAlias(node, reading);
  const read = readContents(node, reading);
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) {
    // Registered after its contents were read, so an alias inside itself stays unknown: no cycle can be written.
    reading.anchors.set(node.anchor, { ...read, node });
  }
  return read;
}

function readContents(node: unknown, reading: Reading): Sized {
  if (hasForeignTag(node)) {
    const message = `the tag ${quoted(String(node.tag))} is not part of the YAML 1.2 core; leave it out`;
    reading.problems.push({ offset: node.range?.[0] ?? 0, message });
    return { value: null, size: 1 };
  }
  if (isScalar(node)) return { value: node.value, size: 1 };
  if (isMap(node)) return readMap(node, reading);
  if (!isSeq(node)) return { value: null, size: 1 };
  const items = node.items.map((item) => read(item, reading));
  return { value: items.map((item) => item.value), size: items.reduce((sum, item) => sum + item.size, 1) };
}

const coreTags = new Set(
  ["str", "int", "float", "bool", "null", "seq", "map"].map((name) => `tag:yaml.org,2002:${name}`),
);

function hasForeignTag(node: unknown): node is Node & { tag: string } {
  return (isScalar(node) || isMap(node) || isSeq(node)) && typeof node.tag === "string" && !coreTags.has(node.tag);
}

function readAlias(alias: Alias, reading: Reading): Sized {
  const target = reading.anchors.get(alias.source);
  const offset = alias.range?.[0] ?? 0;
  if (!target) {
    const message = `${quoted(`*${alias.source}`)} refers to an anchor that is not defined above; put it in quotes if it is a glob`;
    reading.problems.push({ offset, message });
    return { value: null, size: 1 };
  }
  reading.aliases.set(alias, target.node);
  if (target.size > mostNodes && !reading.isTooLarge) {
    reading.isTooLarge = true;
    reading.problems.push({ offset, message: `aliases expand to more than ${mostNodes} values; write fewer of them` });
  }
  return { value: target.value, size: target.size };
}

function readMap(map: YAMLMap, reading: Reading): Sized {
  const entries = new Map<string, unknown>();
  let size = 1;
  for (const pair of map.items) {
    const key = readKey(pair, entries, reading);
    const item = read(pair.value, reading);
    size += item.size;
    if (key !== undefined) entries.set(key, item.value);
  }
  return { value: Object.fromEntries(entries), size };
}

/** The key as text, or undefined with the reason recorded. */
function readKey(pair: Pair, taken: Map<string, unknown>, reading: Reading): string | undefined {
  const offset = keyOffset(pair);
  const key = isScalar(pair.key) ? pair.key.value : undefined;
  const message = refusedKey(key, taken);
  if (message) reading.problems.push({ offset, message });
  return typeof key === "string" && !message ? key : undefined;
}

function refusedKey(key: unknown, taken: Map<string, unknown>): string | undefined {
  if (key === undefined) return "a key must be a text, not a list, mapping or alias; put it in quotes";
  if (typeof key !== "string") return `a key must be a text; put it in quotes: "${String(key)}"`;
  if (key === "__proto__") return 'the key "__proto__" is not allowed; use another name';
  if (key === "<<") return 'merge keys ("<<") are not part of YAML 1.2; write the keys out, or use an alias as a value';
  return taken.has(key) ? `the key ${quoted(key)} is here twice; remove one of them` : undefined;
}

export function keyOffset(pair: Pair): number {
  const key = pair.key as { range?: [number, number, number] } | null;
  return key?.range?.[0] ?? 0;
}
