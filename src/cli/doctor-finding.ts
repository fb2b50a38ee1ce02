/** One thing looked at. `bad` makes doctor end 78; `note` is worth knowing and no error. */
export interface Finding {
  state: "ok" | "note" | "bad";
  what: string;
  remedy?: string;
}
