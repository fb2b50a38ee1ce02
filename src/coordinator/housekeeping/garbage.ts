/**
 * What housekeeping speaks of: a thing that can go, and why. Whoever finds one says how it is removed; nothing is removed
 * while it is looked for.
 */
export interface Garbage {
  /** One word for its kind, as it stands in the table. */
  what: string;
  /** The thing itself, for whoever asks which. */
  name: string;
  count: number;
  bytes: number;
  why: string;
  /** Counted with it and gone with it, under their own names. */
  parts?: readonly Part[];
  /** Looks once more whether it may go. */
  remove(): Promise<Removed>;
}

interface Part {
  what: string;
  count: number;
  bytes: number;
}

/** `left` says why it stays after all; `salvaged` is a file with work that was nowhere else. */
export interface Removed {
  left?: string;
  salvaged?: string;
}

/** What is not needed and stays all the same, because nobody can be sure. */
export interface Left {
  what: string;
  name: string;
  why: string;
}

export interface Found {
  garbage: Garbage[];
  left: Left[];
}

/** What may just be in the making is let alone for that long. */
export const settledMs = 3_600_000;
