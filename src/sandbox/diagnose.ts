import { diagnoseContainer } from "./diagnose-container.ts";
import { diagnoseInstallation } from "./diagnose-installation.ts";
import { diagnoseKernel } from "./diagnose-kernel.ts";
import type { Machine } from "./diagnose-machine.ts";
import { diagnoseStart } from "./diagnose-start.ts";
import { lastLine, orExternal } from "./diagnosis.ts";
import type { NoSandbox } from "./driver.ts";

/**
 * Why a trial run failed on this machine, and what mends that very cause. It never tries to mend anything, and it never
 * says that a sandbox is there: that is for the trial run alone. `saw` is what the run printed or failed with, `remedy`
 * what the driver itself knew to say.
 */
export function diagnose(failed: { saw: string; remedy?: string | undefined }, machine: Machine): NoSandbox {
  for (const look of [diagnoseInstallation, diagnoseStart, diagnoseContainer, diagnoseKernel]) {
    const found = look(failed.saw, machine);
    if (found) return found;
  }
  return {
    unavailable: `bubblewrap cannot make a sandbox on this machine: ${lastLine(failed.saw)}`,
    remedy: failed.remedy ?? `sheaf doctor tries it again; ${orExternal}`,
  };
}
