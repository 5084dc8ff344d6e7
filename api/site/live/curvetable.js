// The same curve as a table: for those who read it, and for exact numbers.

import { el } from "./dom.js";
import { change, direction, exact } from "./numbers.js";
import { clockTime, dateOf, dayOf, monthOf } from "./times.js";

/** @param {any} now @param {any} then or null @param {string} zone @param {number} places */
export function curveRows(now, then, zone, places) {
  const before = new Map((then?.points ?? []).map((point) => [point.start + point.end, point]));
  return now.points.map((point) => {
    const old = before.get(point.start + point.end);
    const moved = old ? point.price - old.price : null;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, delivery(point, zone)),
      el("td", { class: "number" }, exact(point.price), point.flags.includes("STALE") ? " (stale)" : ""),
      el("td", { class: "number" }, old ? exact(old.price) : "–"),
      el("td", { class: "number change", "data-way": direction(moved) }, change(moved, places)),
    );
  });
}

/** What a delivery is called: by what it is of, not by how many seconds it has. */
export function delivery(point, zone) {
  const start = Date.parse(point.start);
  if (point.product === "month") return monthOf(start, zone);
  if (point.product === "hour") return `${dayOf(start, zone)} ${clockTime(start, zone)}`;
  const last = Date.parse(point.end) - 1;
  const [first, end] = [monthOf(start, zone), monthOf(last, zone)];
  const isLong = ["quarter", "season", "year", "period"].includes(point.product);
  return isLong && first !== end ? `${first} – ${end}` : dateOf(start, zone);
}
