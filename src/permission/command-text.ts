import { checkAwk } from "./command-awk.ts";
import { limit, type ProgramDanger } from "./command-program.ts";
import { checkSed } from "./command-sed.ts";

const awk: ProgramDanger = { check: (words) => checkAwk(words) };

/** Programs that read and change text. */
export const textPrograms: Readonly<Record<string, ProgramDanger>> = {
  ack: { starts: { options: "--pager --ackrc --output" } },
  ag: { starts: { options: "--pager -z --search-zip --path-to-ignore", valued: "ABCGmp" } },
  awk,
  gawk: awk,
  mawk: awk,
  nawk: awk,
  "original-awk": awk,
  bat: { starts: { options: "--pager --config-file --config-dir" } },
  batcat: { starts: { options: "--pager --config-file --config-dir" } },
  date: { starts: { options: "-s --set -f --file", valued: "dIr" } },
  file: { starts: { options: "-z -Z -C --uncompress --uncompress-noreport --compile", valued: "mfFPe" } },
  iconv: { writes: { options: "-o --output", valued: "ft" } },
  rg: { starts: { options: "--pre -z --search-zip --hostname-bin", valued: "ABCEMTdefgjmrt" } },
  sed: { check: (words) => checkSed(words) },
  shuf: { writes: { options: "-o --output", valued: "in" } },
  sort: {
    starts: { options: "--compress-program", valued: "kStTo" },
    writes: { options: "-o --output -T --temporary-directory --files0-from", valued: "kSt" },
  },
  split: { starts: { options: "--filter" } },
  tree: { writes: { options: "-o" } },
  uniq: { check: (words) => secondOperand(words, /^-[fsw]$/) },
  xxd: { check: (words) => secondOperand(words, /^-[colsgnR]$/) },
  yq: { writes: { options: "-i --inplace --in-place -s --split-exp --split-exp-file", valued: "opI" } },
};

/** Their second file is the one they write. */
function secondOperand(words: readonly string[], takesValue: RegExp) {
  const operands = words.slice(1).filter((word, at) => !/^-./.test(word) && !takesValue.test(words[at] ?? ""));
  return operands.length > 1
    ? limit(`${words[0]} writes its second file; give it one, and use > for the output`)
    : undefined;
}
