/**
 * Text of conflicts, cut to what a person can read. It works on strings alone; the caller fetches contents.
 */
export interface Section {
  title: string;
  body: string;
}

const around = 3;
const sectionLimit = 4_000;
const totalLimit = 32_000;

/** All sections as one text of at most about 32,000 characters, each at most 4,000; what is cut is counted. */
export function writeSections(sections: readonly Section[]): string {
  let text = "";
  for (const [index, section] of sections.entries()) {
    const next = `${section.title}\n${capped(section.body)}`;
    if (text.length + next.length > totalLimit) return `${text}... and ${sections.length - index} more paths\n`;
    text += next;
  }
  return text;
}

function capped(body: string): string {
  const whole = body === "" || body.endsWith("\n") ? body : `${body}\n`;
  if (whole.length <= sectionLimit) return whole;
  const end = whole.lastIndexOf("\n", sectionLimit) + 1 || sectionLimit;
  const kept = whole.slice(0, end);
  const left = whole.slice(end).split("\n").length - 1;
  return `${kept.endsWith("\n") ? kept : `${kept}\n`}... ${left} more lines\n`;
}

export interface Labels {
  /** What stands after the markers in the text; lines that look like markers but carry other labels are content. */
  ours: string;
  theirs: string;
  /** What to show instead. */
  there: string;
  here: string;
}

/** The conflicting places of a merged text with three lines around each, headed by their line in the merged text. */
export function hunksOf(merged: string, labels: Labels): string {
  const lines = merged.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return spansOf(lines, labels)
    .map(({ from, to }) => {
      const shown = lines.slice(from, to).map((line) => relabelled(line, labels));
      return `@@ line ${from + 1} @@\n${shown.join("\n")}\n`;
    })
    .join("");
}

/** Line ranges, end exclusive, of the conflicts with their surroundings; ranges that touch are one. */
function spansOf(lines: readonly string[], labels: Labels): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let opened = -1;
  for (const [index, line] of lines.entries()) {
    if (isMarker(line, "<<<<<<<", labels.ours)) opened = index;
    if (opened < 0 || !isMarker(line, ">>>>>>>", labels.theirs)) continue;
    const from = Math.max(0, opened - around);
    const to = Math.min(lines.length, index + 1 + around);
    const last = spans.at(-1);
    if (last && last.to >= from) last.to = to;
    else spans.push({ from, to });
    opened = -1;
  }
  return spans;
}

function isMarker(line: string, marker: string, label: string): boolean {
  return line.startsWith(`${marker} ${label}`);
}

function relabelled(line: string, labels: Labels): string {
  if (isMarker(line, "<<<<<<<", labels.ours)) return line.replace(labels.ours, () => labels.there);
  if (isMarker(line, ">>>>>>>", labels.theirs)) return line.replace(labels.theirs, () => labels.here);
  return /^\|{7} [0-9a-f]{7,64}/.test(line) ? line.replace(/ [0-9a-f]{7,64}/, " base") : line;
}
