// Which markets and products there are, and what is known of each.

import { ask } from "./rest.js";

export class Markets {
  constructor() {
    /** @type {any[]} */
    this.all = [];
    this.isLocal = false;
  }

  async read() {
    this.all = (await ask("/v1/markets", { limit: 1000 })).data;
  }

  clear() {
    this.all = [];
  }

  product(row) {
    const market = this.all.find((each) => each.market === row.market);
    return market?.products.find((each) => each.product === row.product) ?? null;
  }

  /** Unknown ones are asked for, and the answer says what is the finest. */
  finestOf(row) {
    return this.product(row)?.finest ?? "1m";
  }

  isAhead(row) {
    return this.product(row)?.forward ?? false;
  }

  /** Whose time is shown. */
  zoneOf(market) {
    return this.isLocal ? (this.all.find((each) => each.market === market)?.zone ?? "UTC") : "UTC";
  }

  /** Whose days its `1d` bars are. */
  dayZoneOf(row) {
    return this.product(row)?.day_zone ?? "UTC";
  }

  /** The product that a first look is best spent on: real-time prices that come often. */
  first() {
    const found = this.all.flatMap((market) =>
      market.products.map((product) => ({ market: market.market, ...product })),
    );
    const there = found.filter((each) => each.instruments > 0 && !each.forward);
    there.sort((a, b) => (a.cadence_seconds ?? Infinity) - (b.cadence_seconds ?? Infinity));
    const best = there[0] ?? found.find((each) => each.instruments > 0) ?? found[0];
    return best ? `${best.market}.${best.product}` : "";
  }
}
