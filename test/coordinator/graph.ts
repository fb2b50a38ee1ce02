import fc from "fast-check";

/** Up to nine things in order, each of which needs some of those before it. */
export const graph = fc
  .array(fc.array(fc.nat({ max: 8 }), { maxLength: 3 }), { minLength: 1, maxLength: 9 })
  .map((rows) =>
    rows.map((row, place) => ({
      id: `t${place}`,
      needs: [...new Set(row)].filter((need) => need < place).map((need) => `t${need}`),
    })),
  );
