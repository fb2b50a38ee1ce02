import { parse } from "smol-toml";

/**
 * A TOML document of a tool (Cargo.toml, pyproject.toml) as plain values. Throws an Error that names line and column
 * where it cannot be read. Nesting is bounded, and keys that would reach into a prototype are refused.
 */
export function readToml(text: string): Readonly<Record<string, unknown>> {
  return parse(text.replace(/^\uFEFF/, ""), {
    maxDepth: 100,
    unsafeKeyBehaviour: "throw",
    integersAsBigInt: "asNeeded",
  });
}
