import { type Account, limitOf, units } from "../../budget/account.ts";
import { amountText } from "./exhausted.ts";

/**
 * What an agent is told of the budgets it spends from: each of 80, 90 and 95 percent once, whoever used it up. The answer
 * has what is new since it was last asked for.
 */
export function budgetNotices(account: Account): () => string[] {
  const accounts = [...account.chain()];
  const told = new Map<string, number>();
  return () => {
    const texts: string[] = [];
    for (const each of accounts)
      for (const unit of units) {
        const key = `${each.scope} ${unit}`;
        const percent = each.warned[unit];
        if (percent <= (told.get(key) ?? 0)) continue;
        told.set(key, percent);
        texts.push(textOf(each, percent, amountText(limitOf(each, unit), unit)));
      }
    return texts;
  };
}

/** All that holds now, of the accounts that this one is part of. */
export function noticesNow(account: Account): string[] {
  return account.chain().flatMap((each) =>
    units.flatMap((unit) => {
      const percent = each.warned[unit];
      return percent > 0 ? [textOf(each, percent, amountText(limitOf(each, unit), unit))] : [];
    }),
  );
}

function textOf({ scope }: Account, percent: number, limit: string): string {
  const whose = scope === "run" ? "your" : `this ${scope}'s`;
  return `${percent} % of ${whose} budget of ${limit} is used: finish with what you have, then submit.`;
}
