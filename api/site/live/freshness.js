// How fresh a price is, from the two instants that come with it.

/** @typedef {"live" | "late" | "stale" | "none"} Freshness */

/**
 * A price is live until the one instant, late until the other, then stale; null: that never ends.
 * Prices that were read once, and not from the stream, have the status that they had then.
 * @param {any} row @param {number} now
 * @returns {Freshness}
 */
export function freshness(row, now) {
  if (row.price === null) return "none";
  if (row.live_until === undefined) return row.status ?? "stale";
  if (isBefore(now, row.live_until)) return "live";
  return isBefore(now, row.late_until) ? "late" : "stale";
}

function isBefore(now, until) {
  return until === null || until === undefined || now < Date.parse(until);
}

/** What is said of each. */
export const MEANING = {
  live: "live: the next price is not due yet",
  late: "late: the next price was due and has not come",
  stale: "stale: several prices are missing, or this one says nothing about now",
  none: "no price any more",
};
