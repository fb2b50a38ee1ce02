import { runInNewContext } from "node:vm";
import fc from "fast-check";

/**
 * Small programs that use `var` in every way there is, and what a run of one shows: each value it logs, and how it
 * ends. Loops and calls are counted, so that every program ends.
 */
export function programs(): fc.Arbitrary<string> {
  const { program } = fc.letrec<Grammar>((tie) => ({
    program: fc.array(tie("statement"), { minLength: 2, maxLength: 7 }).map((lines) => lines.join("\n")),
    block: fc.array(tie("statement"), { minLength: 1, maxLength: 3 }).map((lines) => lines.join(" ")),
    statement: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fill("log(N);"),
      fill("var N;"),
      { arbitrary: fill("var N = E;", tie), weight: 4 },
      fill("var N = E, N;", tie),
      fill("N = E;", tie),
      fill("N++;"),
      fill("F();"),
      fill("var { N, M: N = E } = { a: E };", tie),
      fill("if (E) var N = E;", tie),
      fill("fns.push(function () { log(N); });"),
      fill("while (fns.length) fns.shift()();"),
      fill("var N = function () { tick(); log(typeof N); return E; };", tie),
      fill("{ B }", tie),
      fill("if (E) { B } else { B }", tie),
      fill("for (var N = 0; N < 2; N++) { tick(); B }", tie),
      fill("for (var N in { x: 1, y: 2 }) { B }", tie),
      fill("for (var N of [1, E]) { B }", tie),
      fill("for (var N = E, N; tick() < 9 && N; ) { B }", tie),
      fill("do { tick(); B } while (!E && tick() < 20);", tie),
      fill("function F() { tick(); B }", tie),
      fill("function F(N) { tick(); B return N; }", tie),
      fill("try { B } catch (N) { B } finally { B }", tie),
      fill("switch (E) { case 1: B break; default: { B } }", tie),
      fill("out: { B if (E) break out; B }", tie),
      fill("class N { m() { return N; } }"),
    ),
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("0", "1", '"s"', "undefined"),
      fill("N"),
      fill("typeof N"),
      fill("F()"),
      fill("(N = 1)"),
      fill("(N || E)", tie),
      fill("(() => N)()"),
      fill("(function () { tick(); B })()", tie),
    ),
  }));
  return program;
}

type Grammar = { program: string; block: string; statement: string; expression: string };

/** A text in which N and M are some variable, F some function, E an expression and B statements. */
function fill(text: string, tie?: fc.LetrecTypedTie<Grammar>): fc.Arbitrary<string> {
  const pieces = text.split(/\b([NMFEB])\b/).map((piece): fc.Arbitrary<string> => {
    if (piece === "N" || piece === "M") return fc.constantFrom(..."abcdeh");
    if (piece === "F") return fc.constantFrom("f", "g", "a");
    if (piece === "E" && tie) return tie("expression");
    return piece === "B" && tie ? tie("block") : fc.constant(piece);
  });
  return fc.tuple(...pieces).map((filled) => filled.join(""));
}

/** What a run shows, or undefined when the text is no program. */
export function runProgram(text: string): string[] | undefined {
  const shown: string[] = [];
  let ticks = 0;
  const tick = () => {
    if (ticks++ > 60) throw new EvalError("enough");
    return ticks;
  };
  const log = (value: unknown) => shown.push(typeof value === "object" ? "object" : String(value).slice(0, 12));
  try {
    const run: unknown = runInNewContext(`(function (log, tick, fns) { ${text}\n})`);
    if (typeof run !== "function") return undefined;
    try {
      run(log, tick, []);
    } catch (thrown) {
      // What `let` would throw has another name than what `var` lets pass.
      shown.push(`throws ${nameOf(thrown)}`);
    }
    return shown;
  } catch {
    return undefined;
  }
}

function nameOf(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null && "name" in thrown ? String(thrown.name) : typeof thrown;
}
