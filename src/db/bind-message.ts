import { Sheet } from "./message-sheet.ts";

/**
 * What is sent to run a statement that the database knows by name: Bind, Execute and Sync as one message (PostgreSQL,
 * "Message Formats"). Arrays go in binary: as text every character of theirs is escaped here and read again there, which
 * cost more than storing them. Knows nothing of statements, and judges no value: what has not the shape that its type
 * asks for goes as text, for the database to say what is wrong with it. The bytes are
 * overwritten by the next call.
 */
export function bindMessage(values: readonly unknown[], { name, types, write }: BindOptions): Uint8Array {
  const sheet = new Sheet();
  sheet.open("B");
  sheet.text("\0");
  sheet.text(`${name}\0`);
  const forms = sheet.skip(2 + 2 * values.length);
  sheet.int16At(forms, values.length);
  sheet.int16(values.length);
  for (const [index, value] of values.entries()) {
    const isBinary = putValue(value ?? null, types[index] ?? 0, { sheet, write });
    sheet.int16At(forms + 2 + 2 * index, isBinary ? 1 : 0);
  }
  sheet.int16(0);
  sheet.close();
  sheet.open("E");
  sheet.text("\0\0\0\0\0");
  sheet.close();
  sheet.open("S");
  sheet.close();
  return sheet.bytes();
}

interface BindOptions {
  /** Of the prepared statement. */
  name: string;
  /** OIDs of the types of its parameters. */
  types: readonly number[];
  /** For what does not go in binary: text, or bytes. */
  write(value: unknown, type: number): unknown;
}

/** Returns whether it went in binary. */
function putValue(
  value: unknown,
  type: number,
  { sheet, write }: { sheet: Sheet } & Pick<BindOptions, "write">,
): boolean {
  const array = arrays.get(type);
  if (array && Array.isArray(value) && value.every(array.fits)) {
    putArray(value, array, sheet);
    return true;
  }
  const written = value === null ? null : write(value, type);
  if (written === null) {
    sheet.nothing();
    return false;
  }
  const begun = sheet.begin();
  if (written instanceof Uint8Array) sheet.raw(written);
  else sheet.text(String(written));
  sheet.end(begun);
  return written instanceof Uint8Array;
}

/** How elements of an array of this type are sent. */
interface ArrayForm {
  element: number;
  fits(value: unknown): boolean;
  /** Never asked for null. */
  put(value: never, sheet: Sheet): void;
}

function putArray(values: readonly unknown[], { element, put }: ArrayForm, sheet: Sheet): void {
  const begun = sheet.begin();
  sheet.int32(values.length === 0 ? 0 : 1);
  sheet.int32(values.includes(null) ? 1 : 0);
  sheet.int32(element);
  if (values.length > 0) {
    sheet.int32(values.length);
    sheet.int32(1);
  }
  for (const value of values) {
    if (value === null) sheet.nothing();
    else putElement(value as never, put, sheet);
  }
  sheet.end(begun);
}

function putElement(value: never, put: ArrayForm["put"], sheet: Sheet): void {
  const begun = sheet.begin();
  put(value, sheet);
  sheet.end(begun);
}

const isText = (value: unknown) => value === null || typeof value === "string";
const uuidForm = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const isInt4 = (value: unknown) => value === null || (typeof value === "number" && (value | 0) === value);
const putText = (value: string, sheet: Sheet) => sheet.text(value);

/** By the OIDs of pg_type.dat. Text of json is its binary form too. */
const arrays = new Map<number, ArrayForm>([
  [1009, { element: 25, fits: isText, put: putText }],
  [199, { element: 114, fits: isText, put: putText }],
  [1007, { element: 23, fits: isInt4, put: (value: number, sheet) => sheet.int32(value) }],
  [
    1016,
    {
      element: 20,
      fits: (value) => value === null || Number.isSafeInteger(value),
      put: (value: number, sheet) => sheet.int64(value),
    },
  ],
  [
    1022,
    {
      element: 701,
      fits: (value) => value === null || typeof value === "number",
      // As text it is: without the sign of a zero.
      put: (value: number, sheet) => sheet.float64(value + 0),
    },
  ],
  [
    2951,
    {
      element: 2950,
      fits: (value) => value === null || (typeof value === "string" && uuidForm.test(value)),
      put: (value: string, sheet) => sheet.hex(value.replaceAll("-", "")),
    },
  ],
]);
