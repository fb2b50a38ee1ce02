/** Bytes of messages as they are put down, one after the other; the room for them is kept for the next message. */
export class Sheet {
  #bytes = kept;
  #view = viewOf(kept);
  #end = 0;
  #start = 0;

  /** Begins a message of that type; its length is written by `close`. */
  open(type: string): void {
    this.text(type);
    this.#start = this.skip(4);
  }

  close(): void {
    this.#view.setInt32(this.#start, this.#end - this.#start);
  }

  bytes(): Uint8Array {
    if (this.#bytes.length <= mostKept) kept = this.#bytes;
    return this.#bytes.subarray(0, this.#end);
  }

  /** Leaves room for what is known later, and returns where it is. */
  skip(bytes: number): number {
    this.#ensure(bytes);
    const at = this.#end;
    this.#end += bytes;
    return at;
  }

  int16At(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  int16(value: number): void {
    this.int16At(this.skip(2), value);
  }

  int32(value: number): void {
    const at = this.skip(4);
    this.#view.setInt32(at, value);
  }

  /** A safe integer. */
  int64(value: number): void {
    const at = this.skip(8);
    this.#view.setInt32(at, Math.floor(value / 2 ** 32));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  float64(value: number): void {
    const at = this.skip(8);
    this.#view.setFloat64(at, value);
  }

  text(value: string): void {
    // Three bytes for each unit of UTF-16 are always enough; half of a pair becomes U+FFFD.
    this.#ensure(3 * value.length);
    this.#end += this.#bytes.write(value, this.#end, "utf8");
  }

  hex(value: string): void {
    this.#ensure(value.length);
    this.#end += this.#bytes.write(value, this.#end, "hex");
  }

  raw(value: Uint8Array): void {
    const at = this.skip(value.length);
    this.#bytes.set(value, at);
  }

  /** Leaves room for the length of what follows, which `end` writes. */
  begin(): number {
    return this.skip(4);
  }

  end(begun: number): void {
    this.#view.setInt32(begun, this.#end - begun - 4);
  }

  /** The length that stands for null. */
  nothing(): void {
    this.int32(-1);
  }

  #ensure(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#end + bytes));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const mostKept = 4 * 1024 * 1024;
let kept: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
