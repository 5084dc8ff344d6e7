// The head of the chosen instrument: its price with all that is known of it.

import { byId, el, setText } from "./dom.js";
import { shownFlags } from "./flags.js";
import { change, direction, exact, placesOf, price } from "./numbers.js";
import { nameOf } from "./row.js";
import { clockTime, fullTime, zoneName } from "./times.js";

const LMP = { energy: "Energy", congestion: "Congestion", loss: "Loss", ghg: "GHG" };
const PARTS = { ...LMP, volume: "Volume", bid: "Bid", ask: "Ask" };

/** @param {any} quote @param {string} zone */
export function showDetail(quote, zone) {
  const { row } = quote;
  const places = placesOf(row.unit);
  setText(byId("candles-title"), nameOf(row));
  setText(byId("detail-id"), row.instrument);
  setText(byId("detail-price"), price(row.price, places));
  setText(byId("detail-unit"), row.unit ?? "");
  setText(byId("detail-change"), quote.change === null ? "" : change(quote.change, places));
  byId("detail-change").dataset.way = direction(quote.change);
  byId("detail").replaceChildren(...facts(row, zone).map(([name, value]) => fact(name, value)));
}

/** Nothing is chosen. */
export function clearDetail() {
  setText(byId("candles-title"), "Candles");
  for (const name of ["id", "price", "unit", "change"]) setText(byId(`detail-${name}`), "");
  byId("detail").replaceChildren();
}

/** @returns {[string, string][]} */
function facts(row, zone) {
  const found = Object.entries(PARTS).filter(([field]) => row[field] !== null && row[field] !== undefined);
  const parts = /** @type {[string, string][]} */ (found.map(([field, name]) => [name, exact(row[field])]));
  if (row.interval_start !== null) parts.push(["Interval", interval(row, zone)]);
  if (row.known_at) parts.push(["Known at", fullTime(Date.parse(row.known_at), zone)]);
  if (row.revision > 0) parts.push(["Revision", String(row.revision)]);
  // That a price is below zero, its sign says.
  const flags = shownFlags(row.flags).filter((flag) => flag.word !== "neg").map((flag) => flag.meaning);
  if (flags.length > 0) parts.push(["Note", flags.join("; ")]);
  return parts;
}

function interval(row, zone) {
  const start = Date.parse(row.interval_start);
  const end = row.interval_end ? `–${clockTime(Date.parse(row.interval_end), zone)}` : "";
  return `${clockTime(start, zone)}${end} ${zoneName(zone, start)}`;
}

function fact(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}
