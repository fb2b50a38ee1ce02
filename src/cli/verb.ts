import type { Command } from "commander";
import type { Surroundings } from "./session.ts";

/** Adds a verb to the program. Its action does the work; `exit` sets the exit code where that is not 0. */
export type Verb = (program: Command, around: Surroundings, exit: (code: number) => void) => void;
