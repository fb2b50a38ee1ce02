import { z } from "zod";
import { key } from "./written-key.ts";
import { text } from "./written-text.ts";

/** A rule as people write it: its text, or with examples that are tried when it is read. */

const ruleText = text({ most: 4_200 });
const examples = z.array(text({ most: 16_000 })).max(100);

export const writtenRule = z
  .union([
    ruleText,
    z.strictObject({
      rule: ruleText.meta({ description: "such as Edit(src/**) or Bash(npm test:*); required" }),
      match: key(examples, "paths, commands, hosts or names that it must cover, or it is refused", { is: [] }),
      not_match: key(examples, "those that it must not cover", { is: [] }),
    }),
  ])
  .meta({ id: "rule" });
export type WrittenRule = z.infer<typeof writtenRule>;

export const writtenRules = z.array(writtenRule).max(1_000);
