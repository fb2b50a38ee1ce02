/**
 * Programs of one system call each, made here because no tool that could make such calls is on every machine. Each exits
 * with the call's error number, 0 where it succeeded. None of the calls changes anything where it is let through.
 */
export interface CallProgram {
  name: string;
  /** An ELF executable. */
  bytes: Buffer;
  /** What it takes for the call to count as refused: EPERM, or as one that does not exist. */
  isRefused(exit: number): boolean;
}

/** Numbers by the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. */
const calls: readonly { name: string; x64: number; arm64: number; args: readonly number[] }[] = [
  // KEYCTL_GET_KEYRING_ID of KEY_SPEC_SESSION_KEYRING.
  { name: "keyctl", x64: 250, arm64: 219, args: [0, -3, 0] },
  // PTRACE_TRACEME.
  { name: "ptrace", x64: 101, arm64: 117, args: [0, 0, 0] },
  // Without a place for its parameters it fails with EFAULT where it is there at all.
  { name: "io_uring_setup", x64: 425, arm64: 425, args: [1, 0, 0] },
  // AF_VSOCK, SOCK_STREAM.
  { name: "vsock", x64: 41, arm64: 198, args: [40, 1, 0] },
  // AF_ALG, SOCK_SEQPACKET.
  { name: "alg", x64: 41, arm64: 198, args: [38, 5, 0] },
  // CLONE_NEWUSER.
  { name: "unshare", x64: 272, arm64: 97, args: [0x10000000, 0, 0] },
];

/** ENOENT never comes of these; EPERM 1, ENOSPC 28 (no namespaces left), ENOSYS 38, EAFNOSUPPORT 97. */
const refusals: readonly number[] = [1, 28, 38, 97];

/** Empty for a processor that this knows nothing of. */
export function callPrograms(arch: string): CallProgram[] {
  if (arch !== "x64" && arch !== "arm64") return [];
  return calls.map(({ name, args, ...numbers }) => ({
    name: `call-${name}`,
    bytes: arch === "x64" ? elf(62, codeOfX64(numbers.x64, args)) : elf(183, codeOfArm64(numbers.arm64, args)),
    isRefused: (exit) => refusals.includes(exit),
  }));
}

/** mov eax, number; mov rdi|rsi|rdx, argument; syscall; eax = eax < 0 ? -eax : 0; exit(eax). */
function codeOfX64(number: number, args: readonly number[]): Buffer {
  const registers = [0xc7, 0xc6, 0xc2];
  return Buffer.concat([
    Buffer.from([0xb8]),
    word(number),
    ...args.flatMap((value, index) => [Buffer.from([0x48, 0xc7, registers[index] ?? 0]), word(value)]),
    Buffer.from("0f054885c07904f7d8eb0231c089c7b83c0000000f05", "hex"),
  ]);
}

/** The same: movz and movk for each register, svc, neg, cmp, csel, movz x8, svc. */
function codeOfArm64(number: number, args: readonly number[]): Buffer {
  const load = (register: number, value: number) =>
    [0, 1, 2, 3].map((part) => {
      const bits = Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(16 * part)) & 0xffffn);
      return word(((part === 0 ? 0xd2800000 : 0xf2800000) | (part << 21) | (bits << 5) | register) >>> 0);
    });
  const ending = [0xd4000001, 0xcb0003e1, 0xf100001f, 0x9a9fb020, 0xd2800ba8, 0xd4000001];
  return Buffer.concat([
    ...load(8, number),
    ...args.flatMap((value, index) => load(index, value)),
    ...ending.map(word),
  ]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

/** The least executable of 64 bits: its header, one segment that holds the whole file, the code. By elf(5). */
function elf(machine: number, code: Buffer): Buffer {
  const address = 0x400000n;
  const head = Buffer.alloc(headBytes);
  head.write("\x7fELF\x02\x01\x01", "latin1");
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(address + BigInt(headBytes), 24);
  head.writeBigUInt64LE(64n, 32);
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    head.writeUInt16LE(value, at);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  head.writeBigUInt64LE(address, 80);
  head.writeBigUInt64LE(address, 88);
  const size = BigInt(headBytes + code.length);
  head.writeBigUInt64LE(size, 96);
  head.writeBigUInt64LE(size, 104);
  head.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([head, code]);
}

const headBytes = 64 + 56;
