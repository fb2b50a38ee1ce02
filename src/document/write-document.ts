import { stringify } from "yaml";

/** A JSON value as YAML 1.2 that people read and `readDocument` reads back; texts are not folded, aliases not made. */
export function writeDocument(value: unknown): string {
  return stringify(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false, lineWidth: 0 });
}
