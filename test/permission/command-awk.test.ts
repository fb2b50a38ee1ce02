import { describe, expect, it } from "vitest";
import { checkAwk } from "../../src/permission/command-awk.ts";

const isPlain = (program: string) => checkAwk(["awk", program]) === undefined;

describe("an awk program", () => {
  it.each([
    "{print $2}",
    '{print $1 "|" $2}',
    "/a|b/ { print }",
    '/"name":/ { print $2 }',
    '/start/,/end/ {print NR": "$0}',
    "$3 > 5 {print $1}\n$4 > 5 {print $2}",
    "{s+=$1} END {print s/NR, (s + 1) / 2}",
    'NR==1{print ">"} $3>5{print}',
    '{ gsub(/[[:space:]]+$/, ""); print } # strips, and doesn\'t print > x',
    "/[^/]+$/ { print }",
    "length > 120",
    "{print $1,\n  $2}\n$1>2",
  ])("%j only reads and prints", (program) => {
    expect(isPlain(program)).toBe(true);
  });

  it.each([
    'BEGIN{print ";" > "x"}',
    'BEGIN{print "}" > "x"}',
    'BEGIN{print "a\\";" > "x"}',
    'BEGIN{print "a"\\\n> "x"}',
    'BEGIN{print "a",\n"b" > "x"}',
    'BEGIN{print 1 &&\n2 > "x"}',
    'BEGIN{printf("%s;",1) > "x"}',
    'BEGIN{print /;/ > "x"}',
    'BEGIN{print /}/ > "x"}',
    '# "\nBEGIN{print ";" > "x"} # "',
    '# a\\\nBEGIN{print 1 > "x"}',
    'BEGIN{if (1) /"/; print ";" > "x"; /"/}',
    'BEGIN{a=1; x = a++ /"/; system("x") /"/}',
    'BEGIN{x = /[/"]/; system("x"); y = /"/}',
    'BEGIN{x = 1\n/"/; system("x"); y = /"/}',
    'BEGIN{print 1, # more\n2 > "x"}',
    'BEGIN{/a/system("x")}',
    'BEGIN{print "a" | "x"}',
    'BEGIN{"x" | getline}',
    'BEGIN{f="system"; @f("x")}',
  ])("%j is refused: it opens a file or starts a program", (program) => {
    expect(isPlain(program)).toBe(false);
  });
});
