import type { Sum, Unit } from "./account.ts";

/** What all jobs of a tenant may spend in a day, over all nodes: held where all of them can see it. */
export interface DayBudget {
  /** Waits while what others have reserved may come back. Rejects with the signal's reason. */
  reserve(worst: Sum, signal: AbortSignal): Promise<DayAnswer>;
}

export type DayAnswer =
  | { granted: DayReservation; warned?: DayState & { percent: number } }
  | { exhausted: DayState; warned?: undefined };

export interface DayReservation {
  settle(actual: Sum): Promise<void>;
}

export interface DayState {
  of: Unit;
  /** The day, as 2026-11-23. */
  id: string;
  spent: number;
  reserved: number;
  limit: number;
}
