// The page: its parts, and what leads from one to another.

import { Banner } from "./banner.js";
import { Candles } from "./candles.js";
import { now } from "./clock.js";
import { Curves } from "./curves.js";
import { clearDetail, showDetail } from "./detail.js";
import { byId } from "./dom.js";
import { Feed } from "./feed.js";
import { Grid } from "./grid.js";
import { KeyBox } from "./key.js";
import { Latency } from "./latency.js";
import { Markets } from "./markets.js";
import { Picker } from "./picker.js";
import { move, own, place } from "./place.js";
import { Prices } from "./prices.js";
import { Stream } from "./stream.js";
import { Strip } from "./strip.js";
import { install } from "./toolbar.js";

const narrow = matchMedia("(max-width: 63.99rem)");
const markets = new Markets();
const prices = new Prices();
const latency = new Latency();
const strip = new Strip(latency);
/** @type {import("./key.js").Scopes | null} */
let scopes = null;
let chosen = null;
let isUnread = false;

const banner = new Banner({ again: () => stream.connection.tryNow() });
const stream = new Stream({
  onCondition: (condition) => changed(condition),
  onFrame: (frame) => frame.type === "heartbeat" && strip.beat(frame),
  onHealed: (about) => banner.healed(about),
  onBroken: ({ what }) =>
    banner.notice("feed", `A frame of ${what.channel} did not arrive: asked for again from where all was there.`),
  onLater: (subscription, why) => banner.later(subscription, why),
});
const grid = new Grid(prices, {
  choose: (quote) => choose(quote, true),
  remove: (quote) => remove(quote),
  painted: (quotes) => measure(quotes),
  listed: () => feed.trendsSoon(),
  zoneOf: (market) => markets.zoneOf(market),
});
const candles = new Candles(stream, {
  finestOf: (row) => markets.finestOf(row),
  isAhead: (row) => markets.isAhead(row),
  zoneOf: (market) => markets.zoneOf(market),
  dayZoneOf: (row) => markets.dayZoneOf(row),
  chosen: (interval) => move({ interval }),
  banner,
});
const curves = new Curves(stream, { chosen: (curve) => move({ curve }) });
const feed = new Feed(stream, prices, grid, { markets, banner, changed: (keys) => follow(keys) });
const picker = new Picker(markets, { view: (view) => look(view), added: (instrument) => add(instrument) });

/** Another key, or none: everything from the beginning. */
async function begin(given) {
  scopes = given;
  leave();
  markets.clear();
  feed.leave();
  stream.connection.stop();
  document.body.dataset.key = scopes === null ? "none" : "held";
  banner.clear();
  banner.notice("key", scopes?.lacking() ?? "");
  if (scopes === null) picker.demo();
  else await readMarkets();
  feed.show(scopes === null ? "demo" : picker.offer(), scopes);
  if (scopes === null || scopes.has("stream:read")) stream.start();
  await curves.list(place().curve);
}

async function readMarkets() {
  try {
    await markets.read();
    isUnread = false;
    banner.notice("markets", "");
  } catch (error) {
    // A refusal is an answer; a server that is away is asked again once it is back.
    isUnread = error.status === 0 || error.status >= 500;
    banner.notice("markets", error.message);
  }
}

function changed(condition) {
  banner.show(condition);
  if (condition.name === "live" && isUnread) {
    isUnread = false;
    begin(scopes);
  }
}

/** Nothing is chosen. */
function leave() {
  chosen = grid.chosen = null;
  candles.clear();
  clearDetail();
}

function look(view) {
  move({ view, instrument: "" });
  leave();
  feed.show(view, scopes);
}

function add(instrument) {
  move({ view: "own", own: [...new Set([...own(), instrument])].join(",") });
  picker.show("own");
  feed.show("own", scopes);
}

function remove(quote) {
  if (!quote || feed.view !== "own") return;
  move({ own: own().filter((each) => each !== quote.row.instrument).join(",") });
  leave();
  feed.show("own", scopes);
}

/** @param {import("./prices.js").Quote} quote @param {boolean} isMeant whether somebody chose it just now */
function choose(quote, isMeant) {
  chosen = quote.key;
  if (isMeant) move({ instrument: quote.row.instrument });
  showDetail(quote, markets.zoneOf(quote.row.market));
  candles.show(quote.row);
  if (markets.isAhead(quote.row)) curves.add(quote.row, markets.dayZoneOf(quote.row));
  if (isMeant && narrow.matches) byId("candles").scrollIntoView({ block: "start" });
}

/** Prices came: the chosen one is shown in full, and the first ones choose one. */
function follow(keys) {
  if (chosen === null) chooseFirst();
  else if (keys.includes(chosen) && prices.quotes.has(chosen)) choose(prices.quotes.get(chosen), false);
}

function chooseFirst() {
  const every = [...prices.quotes.values()].sort((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }));
  const quote = every.find(({ row }) => row.instrument === place().instrument) ?? every[0];
  if (!quote) return;
  grid.chosen = quote.key;
  choose(quote, false);
}

function measure(quotes) {
  const at = now();
  for (const quote of quotes) {
    if (quote.known && !document.hidden) latency.add(quote.known, at);
    quote.known = undefined;
  }
}

byId("remove").addEventListener("click", () => remove(prices.quotes.get(chosen)));
install({
  search: (text) => grid.search(text),
  times: (isLocal) => {
    markets.isLocal = isLocal;
    grid.list();
    candles.plan();
    const quote = prices.quotes.get(chosen);
    if (quote) showDetail(quote, markets.zoneOf(quote.row.market));
  },
});
if (place().interval) candles.setInterval(place().interval);
leave();
new KeyBox((given) => begin(given)).begin();
