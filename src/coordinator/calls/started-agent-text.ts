import type { RunReport } from "../../protocol/thread.ts";

/** What an agent is told of one that it started: how that ended, and what it said of itself. Pure. */
export function showFinished(name: string, { state, failure, submission }: RunReport, filesChanged: number): string {
  const files = filesChanged === 1 ? "1 file" : `${filesChanged} files`;
  const why = failure ? ` (${failure.code}: ${failure.message})` : "";
  const { summary, refused, leftovers = [] } = submission ?? { summary: undefined, refused: undefined };
  const left = leftovers
    .slice(0, mostLeftovers)
    .map(({ path, line, reason }) => `- ${path}:${line}: ${reason.slice(0, 300)}`);
  const more = leftovers.length - left.length;
  const lines = [
    `The agent ${name} ended: ${state}${why}. ${files} changed.`,
    ...(refused === undefined ? [] : [`It declined the work: ${refused}`]),
    ...(summary === undefined ? [] : [`It says: ${summary.slice(0, mostCharacters)}`]),
    ...(left.length > 0 ? ["It left alone:", ...left] : []),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
  return lines.join("\n").toWellFormed();
}

const mostCharacters = 8_000;
const mostLeftovers = 50;
