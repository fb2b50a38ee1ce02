import { Turnstile } from "../protocol/turnstile.ts";
import type { NoSandbox, Sandbox } from "./driver.ts";

/**
 * So many commands of one machine at a time, whoever asks: agents wait on their models side by side in hundreds, their
 * test runs cannot. A command's time begins when its turn has come. One that is spoken with waits for others most of its
 * life, and takes no turn.
 */
export function inTurn(driver: Sandbox | NoSandbox, atOnce: number): Sandbox | NoSandbox {
  if ("unavailable" in driver) return driver;
  const turns = new Turnstile(atOnce);
  return {
    ...driver,
    run: (command) => (command.talk ? driver.run(command) : turns.pass(() => driver.run(command), command.signal)),
  };
}
