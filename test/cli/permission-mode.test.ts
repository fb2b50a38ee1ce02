import { expect, it } from "vitest";
import { modeHere } from "../../src/cli/permission-mode.ts";
import type { Surroundings } from "../../src/cli/session.ts";

function at(place: {
  isCi?: boolean;
  isTerminal?: boolean;
  reach?: "own" | "socket" | "server";
  isDetached?: boolean;
  isHeard?: boolean;
}) {
  const { isCi = false, isTerminal = false, reach = "own", isDetached = false, isHeard = true } = place;
  const keyboard = isTerminal ? { listen: () => () => {} } : undefined;
  const around = { terminal: { keyboard }, config: { isCi } } as Surroundings;
  return { isDetached, isHeard, session: { reach }, around };
}

it("asks whoever sits here, leaves a server's job to itself, and denies where nobody can answer", () => {
  expect(modeHere(undefined, at({ isTerminal: true }))).toEqual({ mode: "ask" });
  expect(modeHere(undefined, at({ isTerminal: true, reach: "server" }))).toEqual({ mode: "ask" });
  expect(modeHere(undefined, at({}))).toEqual({ mode: "deny" });
  expect(modeHere(undefined, at({ reach: "socket", isCi: true }))).toEqual({ mode: "deny" });
  expect(modeHere(undefined, at({ reach: "server", isCi: true }))).toEqual({});
  expect(modeHere(undefined, at({ reach: "socket", isTerminal: true, isDetached: true }))).toEqual({});
});

it("keeps to what the job says, but for questions in a CI that nobody can answer", () => {
  expect(modeHere("deny", at({ isTerminal: true }))).toEqual({ mode: "deny" });
  expect(modeHere("plan", at({}))).toEqual({ mode: "plan" });
  expect(modeHere("ask", at({}))).toEqual({ mode: "ask" });
  expect(modeHere("ask", at({ isCi: true, reach: "server" }))).toEqual({ mode: "ask" });
  expect(modeHere("ask", at({ isCi: true }))).toMatchObject({ mode: "deny", warning: expect.stringContaining("CI") });
});

it("asks nobody whose token cannot answer, and says so", () => {
  const unheard = at({ isTerminal: true, reach: "server", isHeard: false });
  const warning = expect.stringContaining("scope approve");
  expect(modeHere(undefined, unheard)).toEqual({ warning });
  expect(modeHere("ask", unheard)).toEqual({ mode: "ask", warning });
  expect(modeHere("deny", unheard)).toEqual({ mode: "deny" });
});
