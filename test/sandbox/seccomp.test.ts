import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seccompProgram } from "../../src/sandbox/seccomp.ts";
import { auditArchitecture, judgedCalls, type Processor, refusedCalls } from "../../src/sandbox/seccomp-syscalls.ts";

interface Call {
  architecture: number;
  number: number;
  args: readonly bigint[];
}

const allow = 0x7fff_0000;
const kill = 0x8000_0000;
const refusal = (error: number) => 0x0005_0000 + error;

/** The kernel's machine for classic BPF, as far as filters of system calls use it; throws where the kernel would refuse. */
function judge(program: Buffer, call: Call): number {
  const seen = Buffer.alloc(64);
  seen.writeUInt32LE(call.number >>> 0, 0);
  seen.writeUInt32LE(call.architecture, 4);
  for (const [index, arg] of call.args.entries()) seen.writeBigUInt64LE(arg, 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length; at++) {
    const code = program.readUInt16LE(at * 8);
    const k = program.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = seen.readUInt32LE(k);
    else at += jumpOf(program.subarray(at * 8, at * 8 + 8), accumulator);
  }
  throw new Error("the program has no end");
}

function jumpOf(step: Buffer, accumulator: number): number {
  const code = step.readUInt16LE(0);
  const k = step.readUInt32LE(4);
  const isTrue = { 21: accumulator === k, 53: accumulator >= k, 69: (accumulator & k) !== 0 }[code];
  if (code === 0x05) return k;
  if (isTrue === undefined) throw new Error(`no such instruction: ${code}`);
  return (isTrue ? step[2] : step[3]) ?? 0;
}

const words = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const args = fc.array(fc.oneof(words, fc.constantFrom(0n, 1n, 2n, 10n, 16n, 17n, 40n, 0x5412n, 0x1000_0011n)), {
  minLength: 6,
  maxLength: 6,
});
const low = (value: bigint | undefined) => Number((value ?? 0n) & 0xffff_ffffn);

/** What the filter is meant to say, written down a second time and without jumps. */
function meant(processor: Processor, { architecture, number, args: given }: Call): number {
  if (architecture !== auditArchitecture[processor]) return kill;
  if (processor === "x64" && number >= 0x4000_0000) return kill;
  if (Object.values(refusedCalls).some((call) => call[processor] === number)) return refusal(1);
  const judged = Object.entries(judgedCalls).find(([, call]) => call[processor] === number);
  return judged ? (verdictOn[judged[0]]?.(low(given[0]), low(given[1]), low(given[2])) ?? Number.NaN) : allow;
}

const unless = (isRefused: boolean, error = 1) => (isRefused ? refusal(error) : allow);
const verdictOn: Readonly<Record<string, (first: number, second: number, third: number) => number>> = {
  clone: (flags) => unless((flags & 0x7e02_0000) !== 0),
  unshare: (flags) => unless((flags & 0x7e02_0080) !== 0),
  clone3: () => refusal(38),
  ioctl: (_, request) => unless([0x5412, 0x541c].includes(request)),
  personality: (wanted) => unless(![0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].includes(wanted)),
  socket: (family, _, protocol) => unless(![1, 2, 10].includes(family) && !(family === 16 && protocol === 0), 97),
  socketpair: (family, _, protocol) => unless(![1, 2, 10].includes(family) && !(family === 16 && protocol === 0), 97),
  adjtimex: () => refusal(1),
  clock_adjtime: () => refusal(1),
  prctl: (option) => (option === 1 ? refusal(0) : allow),
};

describe.each(["x64", "arm64"] as const)("the filter of system calls for %s", (processor) => {
  const program = seccompProgram(processor);
  const known = [...Object.values(refusedCalls), ...Object.values(judgedCalls)].flatMap(
    (call) => call[processor] ?? [],
  );

  it("says of any call what was meant", () => {
    const number = fc.oneof(
      fc.constantFrom(...known),
      fc.nat(500),
      fc.nat(0xffff_ffff),
      fc.nat(500).map((n) => n + 0x4000_0000),
    );
    const architecture = fc.oneof(
      { weight: 9, arbitrary: fc.constant(auditArchitecture[processor]) },
      { weight: 1, arbitrary: fc.constantFrom(0x4000_0003, 0x4000_0028, 0, ...Object.values(auditArchitecture)) },
    );
    const property = fc.property(fc.record({ architecture, number, args }), (call) => {
      expect(judge(program, call)).toBe(meant(processor, call));
    });
    fc.assert(property, { numRuns: 5_000 });
  });

  it("names every call once, and is a program that the kernel takes", () => {
    expect(new Set(known).size).toBe(known.length);
    expect(program.length / 8).toBeLessThan(4_096);
    expect(program.length % 8).toBe(0);
  });

  it("lets pass what ordinary programs ask for", () => {
    const { clone, socket, ioctl } = judgedCalls;
    const calls: [number, bigint[]][] = [
      // A thread of the C library; a socket to the world; the interfaces' list; the size of a terminal.
      [clone[processor], [0x3d_0f00n]],
      [socket[processor], [2n, 1n, 6n]],
      [socket[processor], [16n, 3n, 0n]],
      [ioctl[processor], [1n, 0x5413n]],
    ];
    for (const [number, given] of calls) {
      const all = [...given, 0n, 0n, 0n, 0n, 0n].slice(0, 6);
      expect(judge(program, { architecture: auditArchitecture[processor], number, args: all })).toBe(allow);
    }
  });
});
