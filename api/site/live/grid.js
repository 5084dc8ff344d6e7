// The grid of prices: rows of those that match, painted at most once a frame.

import { now } from "./clock.js";
import { byId, setAttribute, setText } from "./dom.js";
import { count } from "./numbers.js";
import { Roving } from "./roving.js";
import { Row } from "./row.js";
import { ordered, Sorting } from "./sorting.js";

const MOST = 300;

export class Grid {
  /**
   * @param {import("./prices.js").Prices} prices
   * @param {{ choose: (quote: any) => void, remove: (quote: any) => void,
   *           painted: (quotes: any[]) => void, listed: () => void,
   *           zoneOf: (market: string) => string }} to
   */
  constructor(prices, to) {
    this.prices = prices;
    this.to = to;
    this.body = byId("rows");
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.needle = "";
    this.chosen = null;
    this.changed = new Set();
    /** @type {Set<string>} all that were there when the list was made */
    this.counted = new Set();
    /** @type {import("./prices.js").Quote[]} */
    this.listed = [];
    this.isStale = true;
    this.sorting = new Sorting(byId("grid"), () => this.list());
    this.roving = new Roving(this.body, {
      choose: (row) => this.choose(row.dataset.key),
      other: (event, row) => event.key === "Delete" && to.remove(this.prices.quotes.get(row.dataset.key)),
    });
    setInterval(() => this.tick(), 1000);
  }

  /** Which ones are listed has changed. */
  list() {
    this.isStale = true;
    this.plan();
  }

  /** @param {string[]} keys of prices that changed */
  touch(keys) {
    for (const key of keys) {
      if (!this.counted.has(key)) this.isStale = true;
      this.changed.add(key);
    }
    this.plan();
  }

  plan() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      this.paint();
    });
  }

  paint() {
    if (this.isStale) this.relist();
    const at = now();
    const painted = [];
    for (const key of this.changed) {
      const row = this.rows.get(key);
      if (!row?.node.isConnected) continue;
      row.paint(at, this.to.zoneOf);
      row.flash();
      painted.push(row.quote);
    }
    this.changed.clear();
    this.to.painted(painted);
  }

  relist() {
    this.isStale = false;
    this.counted = new Set(this.prices.quotes.keys());
    const found = ordered(this.matching(), this.sorting);
    const shown = found.slice(0, MOST).map((quote) => this.rowOf(quote));
    for (const row of shown) row.paint(now(), this.to.zoneOf);
    const nodes = shown.map((row) => row.node);
    if (nodes.length !== this.body.children.length || nodes.some((node, at) => node !== this.body.children[at])) {
      this.replace(nodes);
    }
    this.tell(found.length);
    this.listed = found.slice(0, MOST);
    this.roving.settle();
    this.to.listed();
  }

  /** Puts the rows in; the one with the focus keeps it. */
  replace(nodes) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const held = this.body.contains(focused) ? focused : null;
    this.body.replaceChildren(...nodes);
    if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
    for (const key of this.rows.keys()) if (!this.prices.quotes.has(key)) this.rows.delete(key);
  }

  rowOf(quote) {
    let row = this.rows.get(quote.key);
    if (row?.quote !== quote) this.rows.set(quote.key, (row = new Row(quote)));
    row.node.setAttribute("aria-selected", String(quote.key === this.chosen));
    return row;
  }

  matching() {
    const words = this.needle.toLowerCase().split(/\s+/).filter(Boolean);
    return [...this.prices.quotes.values()].filter(({ row }) => {
      const text = `${row.instrument} ${row.location ?? ""} ${row.location_type ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  tell(found) {
    const all = this.prices.quotes.size;
    const cut = found > MOST ? `first ${count(MOST)} of ${count(found)}` : count(found);
    setText(byId("shown"), this.needle ? `${cut} of ${count(all)}` : cut);
    setAttribute(byId("grid"), "aria-rowcount", String(found + 1));
    byId("no-match").hidden = found > 0 || all === 0;
    byId("grid").hidden = all === 0;
    byId("no-prices").hidden = all > 0;
  }

  search(text) {
    this.needle = text;
    this.list();
  }

  choose(key) {
    const quote = this.prices.quotes.get(key);
    if (!quote) return;
    this.rows.get(this.chosen)?.node.setAttribute("aria-selected", "false");
    this.chosen = key;
    this.rows.get(key)?.node.setAttribute("aria-selected", "true");
    this.to.choose(quote);
  }

  tick() {
    if (document.hidden) return;
    const at = now();
    for (const quote of this.listed) this.rows.get(quote.key)?.tick(at);
  }
}
