// One line of the grid. Cells are made once; afterwards only what differs is written.

import { el, setAttribute, setText } from "./dom.js";
import { shownFlags } from "./flags.js";
import { freshness, MEANING } from "./freshness.js";
import { change, direction, exact, placesOf, price } from "./numbers.js";
import { spark } from "./spark.js";
import { age, nearTime } from "./times.js";

const ARROWS = { up: "▲", down: "▼", flat: "" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Row {
  /** @param {import("./prices.js").Quote} quote */
  constructor(quote) {
    this.quote = quote;
    this.name = el("span", { class: "name" }, nameOf(quote.row));
    this.of = el("span", { class: "of" }, ofWhat(quote.row));
    this.flags = el("span", { class: "flags" });
    this.price = el("td", { role: "gridcell", class: "number price" });
    this.change = el("td", { role: "gridcell", class: "number change" });
    this.trend = el("td", { role: "gridcell", class: "trend-cell" });
    this.unit = el("td", { role: "gridcell", class: "unit" });
    this.start = el("td", { role: "gridcell", class: "number start" });
    this.age = el("td", { role: "gridcell", class: "number age" });
    this.status = el("td", { role: "gridcell", class: "status" });
    const head = el("th", { role: "rowheader", scope: "row", class: "instrument" }, this.name, this.of, this.flags);
    const cells = [this.price, this.change, this.trend, this.unit, this.start, this.age, this.status];
    this.node = el("tr", { role: "row", tabindex: "-1", "aria-selected": "false" }, head, ...cells);
    this.node.dataset.key = quote.key;
    head.title = quote.row.instrument;
  }

  /** Shows the price as it is now. */
  paint(now, zoneOf) {
    const { row } = this.quote;
    const places = placesOf(row.unit);
    setText(this.price, price(row.price, places));
    setAttribute(this.price, "title", row.price === null ? null : `${exact(row.price)} ${row.unit ?? ""}`.trim());
    this.price.classList.toggle("negative", row.price < 0);
    this.paintChange(places);
    this.paintFlags(row);
    setText(this.unit, row.unit ?? "");
    const start = row.interval_start === null ? NaN : Date.parse(row.interval_start);
    setText(this.start, Number.isNaN(start) ? "–" : nearTime(start, now, zoneOf(row.market)));
    this.trend.replaceChildren(...[spark(this.quote.series.points)].filter(Boolean));
    this.tick(now);
  }

  paintChange(places) {
    const way = direction(this.quote.change);
    setText(this.change, `${change(this.quote.change, places)} ${ARROWS[way]}`.trim());
    this.change.dataset.way = this.trend.dataset.way = way;
  }

  paintFlags(row) {
    const shown = shownFlags(row.flags);
    const text = shown.map((flag) => flag.word).join(" ");
    if (this.flags.textContent === text.replaceAll(" ", "")) return;
    this.flags.replaceChildren(
      ...shown.map((flag) => el("span", { class: "flag", title: flag.meaning, "data-flag": flag.name }, flag.word)),
    );
  }

  /** What time alone changes: age and status. */
  tick(now) {
    const { row } = this.quote;
    setText(this.age, row.interval_start === null ? "–" : age(now - Date.parse(row.interval_start)));
    const state = freshness(row, now);
    if (this.status.dataset.state === state) return;
    this.status.dataset.state = state;
    this.status.title = MEANING[state];
    this.status.replaceChildren(el("span", { class: "dot", "aria-hidden": "true" }), state === "none" ? "gone" : state);
  }

  /** A short glow where a price changed; none for those who asked for calm. */
  flash() {
    if (calm.matches || this.quote.moved === 0 || document.hidden) return;
    const colour = getComputedStyle(this.node).getPropertyValue(this.quote.moved > 0 ? "--glow-up" : "--glow-down");
    this.price.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], { duration: 900 });
  }
}

/** The place, or what there is of it: market and product stand beside it. */
export function nameOf(row) {
  return row.location ?? row.instrument;
}

function ofWhat(row) {
  return `${row.market} ${row.product}`;
}
