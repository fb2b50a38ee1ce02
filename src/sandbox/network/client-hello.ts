/**
 * The name that a TLS client asks for, from the first bytes it sends. It understands nothing by half: what is no whole,
 * single, plain ClientHello with one name is refused, since the other end might read it otherwise.
 */
export type ClientHello = { state: "more" } | { state: "named"; name: string } | { state: "refused"; reason: string };

/** Ten times what clients send; it is read anew with every piece that comes. */
const mostBytes = 16 * 1024;

/** `bytes` is all that came so far. Layouts: RFC 8446 sections 4.1.2, 4.2 and 5.1, RFC 6066 section 3. Pure. */
export function readClientHello(bytes: Buffer): ClientHello {
  try {
    const message = handshakeOf(bytes);
    return message ? nameIn(message) : { state: "more" };
  } catch (thrown) {
    if (thrown instanceof Malformed || thrown instanceof RangeError) return { state: "refused", reason: broken };
    throw thrown;
  }
}

const broken = "what it sent is no ClientHello of TLS";
class Malformed extends Error {}

/** The first handshake message, out of as many records as it takes; undefined while it is not complete. */
function handshakeOf(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let [at, have] = [0, 0];
  while (bytes.length - at >= 5) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== 22 || bytes[at + 1] !== 3 || length === 0 || length > 16_384) throw new Malformed();
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    const message = complete(Buffer.concat(parts), have);
    if (message) return message;
    if (part.length < length) break;
    at += 5 + length;
  }
  if (bytes.length > mostBytes || (bytes.length > 1 && bytes[1] !== 3)) throw new Malformed();
  return undefined;
}

function complete(message: Buffer, have: number): Buffer | undefined {
  if (have > 0 && message[0] !== 1) throw new Malformed();
  if (have < 4) return undefined;
  const length = message.readUIntBE(1, 3);
  if (length > mostBytes) throw new Malformed();
  return have < 4 + length ? undefined : message.subarray(4, 4 + length);
}

function nameIn(hello: Buffer): ClientHello {
  const fields = reader(hello);
  fields.take(2 + 32);
  fields.list(1);
  fields.list(2);
  fields.list(1);
  const extensions = reader(fields.isOver() ? Buffer.alloc(0) : fields.list(2));
  if (!fields.isOver()) throw new Malformed();
  const found = new Map<number, Buffer>();
  while (!extensions.isOver()) {
    const type = extensions.take(2).readUInt16BE();
    if (found.has(type)) throw new Malformed();
    found.set(type, extensions.list(2));
  }
  if (found.has(encryptedHello)) {
    return { state: "refused", reason: "its ClientHello is encrypted, and the name in it cannot be seen" };
  }
  const names = found.get(serverName);
  return names ? onlyName(names) : { state: "refused", reason: "its ClientHello names no server (SNI)" };
}

const serverName = 0;
/** RFC 9849: another name may be inside. */
const encryptedHello = 0xfe0d;

function onlyName(extension: Buffer): ClientHello {
  const outer = reader(extension);
  const list = reader(outer.list(2));
  const type = list.take(1)[0];
  const name = list.list(2).toString("latin1");
  if (type !== 0 || name === "" || !list.isOver() || !outer.isOver()) throw new Malformed();
  return { state: "named", name: name.toLowerCase().replace(/\.$/, "") };
}

function reader(bytes: Buffer) {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Malformed();
    at += count;
    return bytes.subarray(at - count, at);
  };
  return { take, list: (width: number) => take(take(width).readUIntBE(0, width)), isOver: () => at === bytes.length };
}
