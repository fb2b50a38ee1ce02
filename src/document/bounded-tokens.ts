import { type CST, Lexer, Parser } from "yaml";
import type { Problem } from "./problem.ts";

const deepest = 100;
const mostLexemes = 400_000;
const mostDocuments = 2_000;
/** Errors beyond these are consequences of the first; one mistake can bring a hundred thousand. */
const mostErrors = 20;

/**
 * The tokens of a YAML text, ended early where it is nested too deeply or in too many pieces: what comes after would
 * take minutes or the whole stack to compose. `stop` is told why; an end after too many errors needs no other reason.
 */
export function* boundedTokens(text: string, stop: (problem: Problem) => void): Generator<CST.Token> {
  const parser = new Parser();
  const left = { error: mostErrors, directive: mostErrors, document: mostDocuments, lexeme: mostLexemes };
  for (const lexeme of new Lexer().lex(text)) {
    left.lexeme--;
    for (const token of parser.next(lexeme)) {
      yield token;
      if (isCounted(token)) left[token.type]--;
    }
    if (left.error < 0 || left.directive < 0) return;
    const message = exceeded(parser, left);
    if (message) return stop({ offset: parser.offset, message });
  }
  yield* parser.end();
}

function isCounted(token: CST.Token): token is CST.Token & { type: "error" | "directive" | "document" } {
  return token.type === "error" || token.type === "directive" || token.type === "document";
}

function exceeded(parser: Parser, left: { document: number; lexeme: number }): string | undefined {
  // The stack also holds the document and the scalar being read.
  if (parser.stack.length > deepest + 2) return `nested more than ${deepest} levels deep; flatten it`;
  if (left.document < 0) return `more than ${mostDocuments} documents; put them in several files`;
  if (left.lexeme < 0) return `more than ${mostLexemes} words and marks up to here; split the file`;
  return undefined;
}
