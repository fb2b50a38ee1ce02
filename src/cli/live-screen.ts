import { spentText } from "./task-progress.ts";
import type { Terminal } from "./terminal.ts";
import { count, duration } from "./words.ts";

/** The tasks that run, redrawn below whatever was said; or one line that somebody is asked in, which is left alone. */
export interface TaskLine {
  id: string;
  files: number;
  runId?: string;
  startedAt?: number;
  turn: number;
  /** Of all its runs so far; null where nobody knows. */
  tokens: number;
  nanoUsd: number | null;
  /** What it waits for. */
  waiting?: string;
}

export function taskLine(id: string, files: number): TaskLine {
  return { id, files, turn: 0, tokens: 0, nanoUsd: 0 };
}

export type TaskLines = Map<string, TaskLine>;

/** Most running tasks shown at once; the rest are counted. */
const shownTasks = 12;
const redrawMs = 100;

export function liveScreen(terminal: Terminal, tasks: TaskLines, now: () => number) {
  let drawn = 0;
  let drawnAt = 0;
  let asked: string | undefined;
  const clear = () => {
    if (asked !== undefined) terminal.draw("\r\u001b[0J");
    if (drawn > 0) terminal.draw(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    if (asked !== undefined) return terminal.draw(asked.slice(0, terminal.columns - 1));
    const running = [...tasks.values()].filter((task) => task.startedAt !== undefined);
    const lines = running.slice(0, shownTasks).map((task) => {
      const took = duration(now() - (task.startedAt ?? now()));
      return `  ${task.id}  turn ${task.turn}  ${count(task.files, "file")}  ${took}${spentText(task)}`;
    });
    const waiting = tasks.size - Math.min(running.length, shownTasks);
    if (waiting > 0) lines.push(`  ${waiting} more running or waiting`);
    drawn = lines.length;
    // A line that wraps would take two rows of the screen, and be half erased.
    const fitting = lines.map((line) => terminal.style("dim", line.slice(0, terminal.columns - 1)));
    if (drawn > 0) terminal.draw(`${fitting.join("\n")}\n`);
    drawnAt = now();
  };
  const timer = setInterval(() => {
    // What somebody types would be wiped away.
    if (asked !== undefined) return;
    clear();
    draw();
  }, 500);
  timer.unref();
  return {
    above(line: string) {
      clear();
      terminal.tell(line);
      draw();
    },
    redraw() {
      if (asked !== undefined || now() - drawnAt < redrawMs) return;
      clear();
      draw();
    },
    prompt(text: string | undefined) {
      clear();
      asked = text;
      draw();
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}
