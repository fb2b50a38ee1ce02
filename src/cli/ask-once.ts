import type { Surroundings } from "./session.ts";

/** One question to whoever sits here, until one of the answers is typed. undefined where nobody types any more. */
export function askOnce(
  question: string,
  answers: readonly string[],
  { terminal }: Pick<Surroundings, "terminal">,
): Promise<string | undefined> {
  const { keyboard } = terminal;
  if (!keyboard) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    terminal.draw(question);
    const letGo = keyboard.listen((line) => {
      const answer = line === undefined ? undefined : answers.find((word) => word === line.trim().toLowerCase()[0]);
      if (line !== undefined && answer === undefined) {
        terminal.draw(question);
      } else {
        letGo();
        resolve(answer);
      }
    });
  });
}
