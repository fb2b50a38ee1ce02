/** Replace the bytes from `start` up to `end` of the original UTF-8 file by `text`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/**
 * The file after its edits, which may come in any order; everything between them is copied byte for byte.
 * Throws RangeError when two edits overlap, or one lies outside the file.
 */
export function applyTextEdits(bytes: Uint8Array, edits: readonly TextEdit[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const edit of [...edits].sort((one, other) => one.start - other.start || one.end - other.end)) {
    refuseBadRange(edit, position, bytes.length);
    pieces.push(bytes.subarray(position, edit.start), Buffer.from(edit.text, "utf8"));
    position = edit.end;
  }
  pieces.push(bytes.subarray(position));
  return Buffer.concat(pieces);
}

function refuseBadRange({ start, end }: TextEdit, position: number, size: number): void {
  const isInside = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= size;
  if (!isInside) throw new RangeError(`edit ${start}-${end} lies outside a file of ${size} bytes`);
  if (start < position)
    throw new RangeError(`edit ${start}-${end} overlaps the one before it, which ends at ${position}`);
}

/** An edit counted in the UTF-16 units of the decoded text, as the parser counts. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/** Splices of `source`, which must be sorted and apart, as byte edits of the file it was decoded from. */
export function toTextEdits(source: { text: string; isAscii: boolean }, splices: readonly Splice[]): TextEdit[] {
  if (source.isAscii) return splices.map(({ start, end, text }) => ({ start, end, text }));
  let unit = 0;
  let byte = 0;
  const advance = (to: number): number => {
    byte += Buffer.byteLength(source.text.slice(unit, to), "utf8");
    unit = to;
    return byte;
  };
  return splices.map((splice) => ({ start: advance(splice.start), end: advance(splice.end), text: splice.text }));
}
