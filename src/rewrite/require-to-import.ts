import type { Leftover } from "../protocol/claim.ts";
import { builtinExports } from "./builtin-exports.ts";
import { type CommonJsFile, readCommonJs } from "./common-js-file.ts";
import type { Problem } from "./common-js-problem.ts";
import { receiverProblem, writeExports } from "./export-text.ts";
import { namesExported } from "./exported-names.ts";
import type { Shape } from "./import-clause.ts";
import { type ImportOrder, writeImports } from "./import-text.ts";
import { manifestOf, packagesIn, targetOf } from "./module-target.ts";
import { leftoverAt } from "./place.ts";
import { loadRepositoryFiles, type RepositoryFiles } from "./program-files.ts";
import type { EditedFile, ProgramRewrite, ProgramView } from "./program-recipe.ts";
import { readSource } from "./source-text.ts";
import { parseSyntax, type SyntaxFile } from "./syntax-file.ts";
import { type Splice, toTextEdits } from "./text-edit.ts";

/**
 * CommonJS files of packages that say `"type": "module"` become ES modules. A file changes as a whole or not at all, and
 * only when every file that it loads is one an import can load: half of a chain would not even start.
 */
export async function requireToImport(view: ProgramView): Promise<ProgramRewrite> {
  const files = await loadRepositoryFiles(view);
  if ("refused" in files) return files;
  const own = view.files.filter((path) => path.endsWith(".js"));
  const work: Work = { files, own: new Set(own), packages: packagesIn(files), done: new Map() };
  const edited: EditedFile[] = [];
  const leftovers: Leftover[] = [];
  for (const path of own) {
    await files.breathe();
    const { file, splices = [], problems = [], notes = [] } = convert(path, work, []);
    leftovers.push(...notes);
    if (!file) continue;
    leftovers.push(...problems.map((one) => leftoverAt(file.source, one, one.reason)));
    const bytes = files.bytes(path);
    if (splices.length > 0 && bytes) edited.push({ path, bytes, edits: toTextEdits(file.source, splices) });
  }
  return { edited, leftovers };
}

interface Work {
  files: RepositoryFiles;
  own: ReadonlySet<string>;
  packages: ReadonlySet<string>;
  done: Map<string, Conversion>;
}

/** What becomes of a file. Without a shape nothing may import it. */
interface Conversion {
  file?: SyntaxFile;
  splices?: Splice[];
  problems?: Problem[];
  notes?: Leftover[];
  shape?: Shape;
  /** Why nothing may import it, in words that follow its path. */
  reason?: string;
}

/** `chain` are the files that are being converted because they load this one. */
function convert(path: string, work: Work, chain: readonly string[]): Conversion {
  const known = work.done.get(path);
  if (known) return known;
  const start = chain.indexOf(path);
  if (start !== -1) return { reason: `loads this file in turn (${[...chain.slice(start), path].join(" -> ")})` };
  const made = read(path, work, [...chain, path]);
  work.done.set(path, made);
  return made;
}

const whole: Shape = { kind: "value", named: new Set() };

function read(path: string, work: Work, chain: readonly string[]): Conversion {
  if (path.endsWith(".cjs")) return { shape: whole };
  if (!/\.m?js$/.test(path)) return { reason: "is no file that an import can load" };
  const bytes = work.files.bytes(path);
  const source = bytes ? readSource({ path, bytes }) : { skipped: "cannot be read" };
  if ("skipped" in source) return { notes: [noteOf(path, source.skipped)], reason: source.skipped };
  const isModule = path.endsWith(".mjs") || manifestOf(path, work.files)?.isModule === true;
  if (!isModule && !mayBeCommonJs.test(source.text)) return { shape: whole };
  const file = parseSyntax(source);
  if (!("problem" in file)) return isModule ? ofModule(path, file, work, chain) : ofCommonJs(path, file, work);
  const { reason, ...at } = file.problem;
  return { notes: [leftoverAt(source, at, reason)], reason: "has a syntax error" };
}

function ofCommonJs(path: string, file: SyntaxFile, { files, own }: Work): Conversion {
  if (!own.has(path) || !readCommonJs(file)) return { shape: whole };
  const where = manifestOf(path, files)?.path ?? "no package.json above it";
  const reason = `${where} does not say "type": "module", so Node runs this file as CommonJS`;
  return { notes: [noteOf(path, reason)], shape: whole };
}

const mayBeCommonJs = /\b(?:require|module|exports|__dirname|__filename)\b/;

function noteOf(path: string, reason: string): Leftover {
  return { path, line: 1, column: 1, text: "", reason };
}

function ofModule(path: string, file: SyntaxFile, work: Work, chain: readonly string[]): Conversion {
  const common = path.endsWith(".mjs") ? undefined : readCommonJs(file);
  return common ? convertFile(path, common, work, chain) : ofNames(file);
}

/** One that is an ES module already: what its default was meant to be for `require`, nobody can tell. */
function ofNames({ tree }: SyntaxFile): Conversion {
  const names = namesExported(tree);
  if (!names) return { reason: "exports what another module does" };
  if (names.has("default")) return { reason: "is an ES module with a default export: write this import by hand" };
  return { shape: { kind: "names", names } };
}

function convertFile(path: string, file: CommonJsFile, work: Work, chain: readonly string[]): Conversion {
  const orders = file.loads.map((load) => orderOf(path, load, work, chain));
  const refused = orders.flatMap((order) => ("reason" in order ? [order] : []));
  const receiver = receiverProblem(file);
  const problems = [...file.problems, ...refused, ...(receiver ? [receiver] : [])];
  if (!work.own.has(path)) return { reason: "is CommonJS, and not of this task: let one task have both (split: none)" };
  if (problems.length > 0) return stays(file, problems);
  const imports = writeImports(
    file,
    orders.flatMap((order) => ("reason" in order ? [] : [order])),
  );
  const exports = writeExports(file);
  if (!Array.isArray(imports)) return stays(file, [imports]);
  if (!Array.isArray(exports)) return stays(file, [exports]);
  const splices = [...imports, ...exports].toSorted((one, other) => one.start - other.start || one.end - other.end);
  return { file, splices, ...(file.exports.kind === "none" ? ofNames(file) : { shape: shapeOf(file) }) };
}

function stays(file: SyntaxFile, problems: Problem[]): Conversion {
  const inOrder = problems.toSorted((one, other) => one.start - other.start);
  return { file, problems: inOrder, reason: "has to stay CommonJS" };
}

function shapeOf({ exports }: CommonJsFile): Shape {
  return exports.kind === "names" ? { kind: "names", names: new Set(exports.items.map(({ name }) => name)) } : whole;
}

function orderOf(
  path: string,
  load: CommonJsFile["loads"][number],
  work: Work,
  chain: readonly string[],
): ImportOrder | Problem {
  const { call, literal } = load;
  const at = { start: call.getStart(), end: call.end };
  const target = targetOf(literal.text, path, work.files, work.packages);
  if (target.kind === "unknown") return { ...at, reason: target.reason };
  if (target.kind !== "file") {
    const shape: Shape = target.kind === "builtin" ? { kind: "value", named: builtinExports(literal.text) } : whole;
    return { load, specifier: literal.text, shape };
  }
  const { shape, reason = "cannot be imported" } = convert(target.path, work, chain);
  if (!shape) return { ...at, reason: `${target.path} ${reason}` };
  return { load, specifier: target.specifier, shape };
}
