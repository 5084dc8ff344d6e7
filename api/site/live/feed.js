// The prices of one view: subscribed to, kept, listed; their trends out of history.

import { setText, byId } from "./dom.js";
import { mend } from "./gaps.js";
import { trends } from "./history.js";
import { wantedOf } from "./picker.js";
import { keyOf } from "./prices.js";
import { ask } from "./rest.js";

const PAUSE_MS = 200;

export class Feed {
  /**
   * @param {import("./stream.js").Stream} stream
   * @param {import("./prices.js").Prices} prices
   * @param {import("./grid.js").Grid} grid
   * @param {{ markets: import("./markets.js").Markets, banner: import("./banner.js").Banner,
   *           changed: (keys: string[]) => void }} about
   */
  constructor(stream, prices, grid, about) {
    this.stream = stream;
    this.prices = prices;
    this.grid = grid;
    this.about = about;
    this.view = "";
    /** @type {import("./key.js").Scopes | null} */
    this.scopes = null;
    this.asked = new Set();
  }

  /** @param {string} view @param {import("./key.js").Scopes | null} scopes */
  show(view, scopes) {
    this.leave();
    this.view = document.body.dataset.view = view;
    this.scopes = scopes;
    const wanted = wantedOf(view);
    if (wanted === null) {
      this.empty("Add instruments by their id: they stay in the address of this page.");
      return;
    }
    this.empty(view === "demo" ? "Waiting for the demo prices…" : "Waiting for prices…");
    if (scopes === null || scopes.has("stream:read")) this.listen(wanted);
    else this.readOnce(wanted);
  }

  leave() {
    this.subscription?.end();
    this.subscription = null;
    this.asked.clear();
    this.prices.clear();
    this.grid.list();
  }

  listen(wanted) {
    this.subscription = this.stream.subscribe(wanted, {
      snapshot: (rows, isFirst, isLast) => this.snapshot(rows, isFirst, isLast),
      update: (rows, frame) => this.update(rows, frame.replayed),
      gap: (frame) => mend(frame, (rows) => this.past(rows), this.about.banner),
      lacking: (detail) => this.about.banner.notice("prices", detail),
      failed: (detail, code) => this.failed(detail, code),
    });
  }

  snapshot(rows, isFirst, isLast) {
    this.prices.snapshot(rows, isFirst, isLast);
    this.grid.list();
    // Which one is the first is known only with the last part.
    if (isLast) this.about.changed([...this.prices.quotes.keys()]);
    if (isLast && this.prices.quotes.size === 0) this.empty(`No prices of ${this.view.replace(".", " ")} yet.`);
  }

  update(rows, isReplayed) {
    const keys = rows.map((row) => {
      const quote = this.prices.put(row);
      // What was missed and came late says nothing about how fast prices are.
      if (!isReplayed) quote.known = Date.parse(row.known_at);
      return quote.key;
    });
    this.grid.touch(keys);
    this.about.changed(keys);
  }

  /** Prices of the past, as bars or as ticks. */
  past(rows) {
    for (const row of rows) {
      const points = [{ at: Date.parse(row.interval_start ?? row.start), price: row.price ?? row.close ?? null }];
      this.prices.past(keyOf(row), points);
    }
    this.grid.touch(rows.map(keyOf).filter((key) => this.prices.quotes.has(key)));
  }

  failed(detail, code) {
    const isOff = code === "demo-off";
    const text = isOff ? "This installation shows no demo prices. Enter a key to see prices." : detail;
    if (this.prices.quotes.size === 0) this.empty(text);
    else this.about.banner.notice("prices", text);
  }

  /** For a key that may read prices, but not live ones. */
  async readOnce(wanted) {
    const query = wanted.filter ?? { instrument: wanted.instruments };
    try {
      this.snapshot((await ask("/v1/prices/latest", { ...query, limit: 10_000 })).data, true, true);
    } catch (error) {
      this.empty(error.message);
    }
  }

  trendsSoon() {
    clearTimeout(this.waiting);
    if (this.scopes?.has("bars:read")) this.waiting = setTimeout(() => this.readTrends(), PAUSE_MS);
  }

  /** Of the rows that are listed, those whose past was not asked for yet, product by product. */
  async readTrends() {
    const { markets } = this.about;
    const groups = Map.groupBy(
      (this.grid.listed).filter((quote) => !this.asked.has(quote.key)),
      ({ row }) => `${row.market}.${row.product}`,
    );
    for (const quotes of groups.values()) {
      const { row } = quotes[0];
      for (const quote of quotes) this.asked.add(quote.key);
      const names = [...new Set(quotes.map((quote) => quote.row.instrument))];
      // A trend that cannot be had is no reason to trouble anybody: it grows with what comes.
      await trends(names, markets.finestOf(row), markets.isAhead(row), (rows) => this.past(rows)).catch(() => {});
    }
  }

  empty(text) {
    setText(byId("grid-empty"), text);
  }
}
