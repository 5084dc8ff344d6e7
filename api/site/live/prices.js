// The newest price of each instrument, as the stream tells it.

import { Series } from "./series.js";

/**
 * @typedef {object} Quote
 * @property {string} key
 * @property {any} row as it came
 * @property {Series} series
 * @property {number | null} change
 * @property {number} [known] when the message of the last update was appended, until it is on the screen
 * @property {number} moved which way the last update went: -1, 0, 1
 */

/** An instrument may be there both as the tenant's own and as a public one. */
export function keyOf(row) {
  return `${row.instrument}\n${row.tenant ?? ""}`;
}

export class Prices {
  constructor() {
    /** @type {Map<string, Quote>} */
    this.quotes = new Map();
    /** @type {Set<string>} keys that a snapshot under way has not named yet */
    this.unnamed = new Set();
  }

  clear() {
    this.quotes.clear();
  }

  /** A snapshot is all that there is: who is not in it is no longer there. */
  snapshot(rows, isFirst, isLast) {
    if (isFirst) this.unnamed = new Set(this.quotes.keys());
    for (const row of rows) this.unnamed.delete(this.put(row).key);
    if (isLast) for (const key of this.unnamed) this.quotes.delete(key);
  }

  /** @returns {Quote} */
  put(row) {
    const key = keyOf(row);
    const quote = this.quotes.get(key) ?? { key, row, series: new Series(), change: null, moved: 0 };
    const before = quote.row.price;
    quote.row = row;
    quote.moved = row.price === null || before === null ? 0 : Math.sign(row.price - before);
    this.quotes.set(key, quote);
    quote.series.put(Date.parse(row.interval_start), row.price);
    return this.counted(quote);
  }

  /** Prices of the past, which bars show: they never replace what the stream told. */
  past(key, points) {
    const quote = this.quotes.get(key);
    if (!quote) return;
    const told = new Set(quote.series.points.map((point) => point.at));
    for (const { at, price } of points) if (!told.has(at)) quote.series.put(at, price);
    this.counted(quote);
  }

  counted(quote) {
    quote.change = quote.row.price === null ? null : quote.series.changeAt(Date.parse(quote.row.interval_start));
    return quote;
  }
}
