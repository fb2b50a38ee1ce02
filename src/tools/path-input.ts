import { z } from "zod";

/** A path as a model writes it. Where it leads, and whether it may be touched, is decided elsewhere. */
export const filePath = z.string().min(1).describe("Path relative to the repository root");

/** Text that can be stored as UTF-8 without loss. */
export const wellFormedText = z
  .string()
  .refine((text) => text.isWellFormed(), { error: "holds half of a surrogate pair, which UTF-8 cannot store" });
