import { readFileSync } from "node:fs";
import { Fault } from "../protocol/failure.ts";

/** Who commands run as. Never root: not even inside namespaces of its own is root nobody on the machine. */
export interface Account {
  uid: number;
  gid: number;
  /** It is another one than Sheaf's own, which then is root. */
  isOther: boolean;
}

/** Taken where the operator names none; above what systems give to people, below what they give to containers. */
const ownUid = 62_000;

/** `user` is a name or a number. Throws Fault `configuration` for one that is not there or is root. */
export function accountOf(user: string | undefined, me: { uid: number; gid: number }): Account {
  if (me.uid !== 0) return { ...me, isOther: false };
  const { uid, gid } = user === undefined ? { uid: ownUid, gid: ownUid } : named(user);
  if (uid === 0 || gid === 0) {
    throw new Fault("configuration", `sandbox.user ${user ?? ""} is root or in root's group`, {
      remedy: "name an account without rights in sheaf.config.yaml, or leave sandbox.user out",
    });
  }
  return { uid, gid, isOther: true };
}

function named(user: string): { uid: number; gid: number } {
  const isNumber = /^\d+$/.test(user);
  const entries = passwd()
    .split("\n")
    .map((line) => line.split(":"));
  const entry = entries.find(([name, , uid]) => (isNumber ? Number(uid) === Number(user) : name === user));
  if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  if (isNumber) return { uid: Number(user), gid: Number(user) };
  throw new Fault("configuration", `sandbox.user ${user} is no account of this machine`, {
    remedy: "create it (useradd --system --no-create-home), or write a number, or leave sandbox.user out",
  });
}

function passwd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}
