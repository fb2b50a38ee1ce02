import type { JobView } from "../protocol/job-view.ts";

/** How a job stands, in one word: how it ended, or what is being done with it. */
export function standOf({ outcome, at_rest, state }: JobView): string {
  return outcome ?? at_rest ?? state;
}

/** Why nobody works on it, and what to do; nothing where somebody does, or where it has ended. */
export function restLines({ handle, at_rest }: JobView): string[] {
  if (at_rest === "paused") return [`  sheaf resume ${handle} goes on with it; sheaf cancel ${handle} ends it`];
  if (at_rest === "pausing") return ["  what is under way comes to the end of its turn; then it rests"];
  if (at_rest === undefined) return [];
  return [
    `  no process works on it: it goes on with sheaf serve, or when it is run again; sheaf cancel ${handle} ends it`,
  ];
}
