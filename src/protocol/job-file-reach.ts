import { z } from "zod";
import { readNetworkHost } from "./network-host.ts";
import { key } from "./written-key.ts";

/** What a command of a job file may have besides its tree, as people write it: hosts, and secrets of the operator. */

/** The package registries that the repository's own manifests name. */
export const registryWord = "registry";

const networkEntry = z.string().superRefine((written, context) => {
  const read = written === registryWord ? {} : readNetworkHost(written);
  if ("problem" in read) {
    context.addIssue({ code: "custom", message: `${JSON.stringify(written.slice(0, 80))}: ${read.problem}` });
  }
});

/** The name of a secret that the operator keeps. */
export const secretName = z
  .string()
  .superRefine((written, context) => {
    if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(written)) return;
    const message = `${JSON.stringify(written.slice(0, 80))} is no name of a secret; write the variable, such as NPM_TOKEN`;
    context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" });

export const writtenReach = {
  network: key(
    z.array(networkEntry).min(1).max(200),
    "hosts it may connect to: registry (the package registries of the repository), api.example.com (port 443), *.example.com, api.example.com:8443",
    "no network",
  ),
  secrets: key(
    z.array(secretName).min(1).max(50),
    "names of secrets that the operator keeps, given as variables to this command alone",
    "none",
  ),
};
