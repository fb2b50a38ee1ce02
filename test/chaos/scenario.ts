import type { DatabaseKind } from "./stage.ts";

/** One kind of disaster. A trial is named by a seed and a number, and the same ones do the same. */
export interface Scenario {
  name: string;
  /** What it does, in a line. */
  about: string;
  databases: readonly DatabaseKind[];
  /** What it needs that this machine has not, in words; absent, or undefined, where it can be run. */
  missing?: () => string | undefined;
  /** Trials, where nobody says how many. */
  trials: number;
  /** Opens what its trials share, and prints how an undisturbed one went. */
  open(options: Setting): Promise<Trials>;
}

export interface Setting {
  database: DatabaseKind;
  seed: string;
  tasks: number;
}

export interface Trials extends AsyncDisposable {
  /** How it goes without a disaster, in a line. */
  undisturbed: string;
  run(number: number): Promise<Trial>;
}

export interface Trial {
  /** What was done to it, in words. */
  told: readonly string[];
  /** What is not as promised; empty where all is. */
  findings: readonly string[];
}
