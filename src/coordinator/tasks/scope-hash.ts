import { createHash } from "node:crypto";
import type { Scope } from "../../protocol/scope.ts";

/** Names a scope in spans and keys: sha256 of its canonical JSON (parsed by one schema, so keys have one order). */
export function scopeHash(scope: Scope): string {
  return createHash("sha256").update(JSON.stringify(scope)).digest("hex");
}
