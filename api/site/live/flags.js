// Flags of a price, as small words. `VALID` says nothing, and a negative price is a price.

const WORDS = {
  PRICE_NEGATIVE: ["neg", "a negative price"],
  NEGATIVE: ["neg", "a negative price"],
  OUT_OF_RANGE: ["range", "outside the market's band of that day; it counts all the same"],
  VOLUME_SPIKE: ["vol", "a volume far beyond the usual"],
  LATE_ARRIVAL: ["late in", "known later after its interval than its product allows"],
  COMPONENT_MISMATCH: ["parts", "its published parts miss the price"],
  ADVISORY: ["adv", "advisory: it does not bind yet"],
  NO_VALUE: ["no value", "a spread with an unusable leg"],
  STALE: ["stale", "the newest price of an earlier session"],
  IMPLAUSIBLE: ["odd", "far from its neighbours"],
};
const SILENT = new Set(["VALID", "DERIVED", "MISSING_METADATA"]);

/** @param {string[]} flags @returns {{ word: string, meaning: string, name: string }[]} */
export function shownFlags(flags) {
  return (flags ?? [])
    .filter((name) => !SILENT.has(name))
    .map((name) => ({ name, word: WORDS[name]?.[0] ?? name.toLowerCase(), meaning: WORDS[name]?.[1] ?? name }));
}
