import type { Database } from "../../src/db/database.ts";

/** The same database, whose answer to the first statement is lost: it was committed, and its caller sees the connection break. */
export function losingFirstAnswer(database: Database): Database {
  let isLost = false;
  const lose = () => {
    if (isLost) return;
    isLost = true;
    throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  };
  return { ...database, orm: losing(database.orm, lose) };
}

/** Every statement built from it is awaited, and then `lose` is asked. */
function losing<T extends object>(target: T, lose: () => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name === "then") return awaited(target as PromiseLike<unknown>, lose);
      return (...given: unknown[]) => {
        const made = value.apply(target, given);
        return typeof made === "object" && made !== null ? losing(made, lose) : made;
      };
    },
  });
}

function awaited(statement: PromiseLike<unknown>, lose: () => void): PromiseLike<unknown>["then"] {
  return (resolve, reject) =>
    statement
      .then((answer) => {
        lose();
        return answer;
      })
      .then(resolve, reject);
}
