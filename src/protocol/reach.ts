import { z } from "zod";

/** What a command gets besides its tree: `host:port` or `registry`, and names of secrets that the operator keeps. */
export const reach = {
  network: z.array(z.string()).optional(),
  secrets: z.array(z.string()).optional(),
};
