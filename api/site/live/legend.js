// What the candles say in words: the bar under the pointer, what is not final, and all of them as a table.

import { told } from "./chart.js";
import { byId, el, setText } from "./dom.js";
import { counted, exact, placesOf, price } from "./numbers.js";
import { clockTime, dateOf, nearTime } from "./times.js";
import { now } from "./clock.js";

const ROWS = 60;

export class Legend {
  constructor() {
    this.bars = [];
    this.places = 2;
    this.table = byId("bars-table");
    this.table.addEventListener("toggle", () => this.list());
  }

  clear() {
    this.bars = [];
    byId("legend").replaceChildren();
    setText(byId("bars-note"), "");
    this.list();
  }

  /** @param {any} bar @param {string} zone */
  show(bar, zone) {
    if (!bar) return;
    const parts = told(bar, this.places).map(([name, value]) => el("span", {}, el("b", {}, name), ` ${value}`));
    const state = [bar.is_final ? null : "provisional", bar.revision > 0 ? `revision ${bar.revision}` : null];
    byId("legend").replaceChildren(
      el("span", { class: "when" }, this.when(bar, zone)),
      ...parts,
      ...state.filter(Boolean).map((text) => el("span", { class: "tag" }, text)),
    );
  }

  when(bar, zone) {
    const start = Date.parse(bar.start);
    return bar.interval === "1d" ? dateOf(start, zone) : nearTime(start, now(), zone);
  }

  describe(row, interval, bars, zone) {
    this.bars = bars;
    this.zone = zone;
    this.places = placesOf(row.unit);
    const last = bars[bars.length - 1];
    this.show(last, zone);
    const [low, high] = [Math.min(...bars.map((bar) => bar.low)), Math.max(...bars.map((bar) => bar.high))];
    const range = `from ${price(low)} to ${price(high)}`;
    const text = `${counted(bars.length, "bar")} of ${interval}, ${row.instrument}, ${range}`;
    byId("chart").setAttribute("aria-label", `${text}; last close ${price(last.close)}. The table below has the same.`);
    this.list();
  }

  note(text) {
    setText(byId("bars-note"), text);
  }

  /** An interval is complete. */
  closed(frame, zone) {
    const [start, end] = [Date.parse(frame.start), Date.parse(frame.end)];
    const lacking = frame.open_count ?? frame.open?.length ?? 0;
    const but = lacking > 0 ? `, but ${counted(lacking, "instrument")} without all prices` : "";
    this.note(`${clockTime(start, zone)}–${clockTime(end, zone)} is complete${but}`);
  }

  list() {
    if (!this.table.open) return;
    const rows = this.bars.slice(-ROWS).reverse();
    byId("bars-rows").replaceChildren(...rows.map((bar) => this.line(bar)));
  }

  line(bar) {
    const prices = [bar.open, bar.high, bar.low, bar.close];
    const numbers = prices.map((value) => el("td", { class: "number" }, exact(value)));
    const state = bar.is_final ? "final" : "provisional";
    const note = bar.revision > 0 ? `${state}, corrected` : state;
    return el("tr", {}, el("th", { scope: "row" }, this.when(bar, this.zone)), ...numbers, el("td", {}, note));
  }
}
