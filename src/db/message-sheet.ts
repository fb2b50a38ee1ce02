/** Bytes of messages as they are put down, one after the other; the room for them is kept for the next message. */
export class Sheet {
  #bytes = kept;
  #end = 0;
  #start = 0;

  /** Begins a message of that type; its length is written by `close`. */
  open(type: string): void {
    this.text(type);
    this.#start = this.skip(4);
  }

  close(): void {
    this.#bytes.writeInt32BE(this.#end - this.#start, this.#start);
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
    this.#bytes.writeUInt16BE(value, at);
  }

  int16(value: number): void {
    this.int16At(this.skip(2), value);
  }

  int32(value: number): void {
    const at = this.skip(4);
    this.#bytes.writeInt32BE(value, at);
  }

  /** A safe integer. */
  int64(value: number): void {
    const at = this.skip(8);
    this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), at);
    this.#bytes.writeUInt32BE(value >>> 0, at + 4);
  }

  float64(value: number): void {
    const at = this.skip(8);
    this.#bytes.writeDoubleBE(value, at);
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

  /** What `put` puts down, with its length in front. */
  counted(put: () => void): void {
    const at = this.skip(4);
    put();
    this.#bytes.writeInt32BE(this.#end - at - 4, at);
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
  }
}

const mostKept = 4 * 1024 * 1024;
let kept: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
