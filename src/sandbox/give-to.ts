import { spawn } from "node:child_process";
import { Fault } from "../protocol/failure.ts";
import type { Account } from "./account.ts";

/**
 * Makes files that Sheaf wrote as root the account's. Links are given away themselves, never what they lead to.
 */
export async function giveTo({ uid, gid, isOther }: Account, root: string): Promise<void> {
  if (!isOther) return;
  const child = spawn("/usr/bin/chown", ["-hR", "-P", "--from=0", "--", `${uid}:${gid}`, root], {
    env: { LANG: "C.UTF-8" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (said.length < 2_000) said += chunk;
  });
  const exit = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  if (exit === 0) return;
  throw new Fault("sandbox_unavailable", `${root} could not be given to account ${uid}: ${said.trim()}`, {
    remedy: "let Sheaf keep CAP_CHOWN and SHEAF_HOME on a disk that knows owners, or run it as an ordinary user",
  });
}
