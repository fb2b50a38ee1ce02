/** What a model is told of a call that was denied: in its result, and again wherever its log is read. */
export function denialText({ rule, source, reason }: { rule: string; source: string; reason: string }): string {
  return `Denied: ${reason} (rule ${rule}, ${source})`;
}
