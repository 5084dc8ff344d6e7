// The panel of a forward curve: as it is now, beside what was known on an earlier day.

import { now } from "./clock.js";
import { curveRows } from "./curvetable.js";
import { byId, el, setText } from "./dom.js";
import { placesOf } from "./numbers.js";
import { plot } from "./plot.js";
import { ask, hasKey } from "./rest.js";
import { isOlder, lineOf, sessionOf } from "./snapshots.js";
import { clockTime, dayOf, monthOf } from "./times.js";

const DAY_MS = 86_400_000;
const LONG_MS = 60 * DAY_MS;
const LOOK_BACK = 14; // days in which the newest session before a day is looked for

export class Curves {
  /** @param {import("./stream.js").Stream} stream @param {{ chosen: (curve: string) => void }} to */
  constructor(stream, to) {
    this.stream = stream;
    this.to = to;
    /** @type {any[]} */
    this.known = [];
    this.curve = null;
    this.now = this.then = null;
    this.thenNote = this.notLive = "";
    this.select = byId("curve");
    this.date = byId("curve-date");
    this.select.addEventListener("change", () => this.choose(this.select.value));
    this.date.addEventListener("change", () => this.compare());
    new ResizeObserver(() => this.draw()).observe(byId("curve-plot"));
  }

  /** Which curves there are; `wanted` is chosen where it is one of them. */
  async list(wanted) {
    this.clear();
    if (!hasKey()) {
      this.empty("Forward curves need a key with the scope curves:read.");
      return;
    }
    try {
      this.known = (await ask("/v1/curves", { limit: 500 })).data;
      this.offer(wanted);
    } catch (error) {
      this.empty(error.message);
    }
  }

  /** A day-ahead instrument is a curve of its hours. */
  add({ instrument, location, tenant }, zone) {
    if (!hasKey() || this.known.some((each) => each.curve === instrument)) return;
    this.known = this.known.filter((each) => !each.isAdded || each === this.curve);
    this.known.push({ curve: instrument, name: location, tenant, zone, isAdded: true });
    this.fillSelect();
    if (!this.curve) this.choose(instrument);
  }

  offer(wanted) {
    this.fillSelect();
    const found = this.known.find((each) => each.curve === wanted) ?? this.known[0];
    if (found) this.choose(found.curve);
    else this.empty("No forward curve yet: they are made of futures, and of day-ahead prices of an instrument.");
  }

  fillSelect() {
    const options = this.known.map((each) =>
      el("option", { value: each.curve, title: each.curve }, each.name ?? each.curve),
    );
    this.select.replaceChildren(...options);
    this.select.disabled = options.length === 0;
    if (this.curve) this.select.value = this.curve.curve;
  }

  clear() {
    this.subscription?.end();
    this.subscription = null;
    this.known = [];
    this.curve = this.now = this.then = null;
    this.select.replaceChildren();
    this.select.disabled = this.date.disabled = true;
  }

  async choose(id) {
    this.subscription?.end();
    this.curve = this.known.find((each) => each.curve === id) ?? null;
    if (!this.curve) return;
    this.select.value = id;
    this.now = this.then = null;
    this.notLive = "";
    this.date.disabled = false;
    this.date.max = new Date(now() - DAY_MS).toISOString().slice(0, 10);
    if (!this.date.value) this.date.value = new Date(now() - 7 * DAY_MS).toISOString().slice(0, 10);
    this.to.chosen(id);
    this.empty("Loading the curve…");
    this.listen(id);
    await Promise.all([this.read(id), this.compare()]);
  }

  listen(id) {
    const take = (rows) => {
      for (const row of rows) if (row.curve === id && !isOlder(row, this.now)) this.show(row);
    };
    const failed = (detail) => {
      this.notLive = `not live: ${detail}`;
      this.draw();
    };
    const wanted = { channel: "curves", instruments: [id] };
    this.subscription = this.stream.subscribe(wanted, { snapshot: take, update: take, failed });
  }

  async read(id) {
    try {
      const found = await this.snapshot(id, {});
      if (this.curve?.curve === id && !isOlder(found, this.now)) this.show(found);
    } catch (error) {
      if (this.curve?.curve === id && this.now === null) this.empty(error.message);
    }
  }

  snapshot(id, query) {
    return ask(`${addressOf(id)}/snapshots/latest`, { tenant: this.curve.tenant, ...query });
  }

  /** The sessions up to a day as they were known at its end: of a list, for one that is empty is no error. */
  async sessions(id, day) {
    const [start, end] = [shifted(day, -LOOK_BACK), shifted(day, 1)];
    const range = { start, end, as_of: `${day}T23:59:59Z` };
    return (await ask(`${addressOf(id)}/snapshots`, { tenant: this.curve.tenant, ...range })).data;
  }

  show(snapshot) {
    this.now = snapshot;
    this.draw();
  }

  /** The curve as it was known at the end of the chosen day. */
  async compare() {
    const [id, day] = [this.curve?.curve, this.date.value];
    if (!id) return;
    const [then, note] = await this.asKnown(id, day);
    // Whoever has asked for another one since gets that.
    if (this.curve?.curve !== id || this.date.value !== day) return;
    [this.then, this.thenNote] = [then, note];
    this.draw();
  }

  /** @returns {Promise<[any, string]>} a snapshot, or why there is none */
  async asKnown(id, day) {
    if (!day) return [null, ""];
    try {
      const found = await this.sessions(id, day);
      return found.length > 0 ? [found[found.length - 1], ""] : [null, `nothing was known of it on ${day}`];
    } catch (error) {
      return [null, error.message];
    }
  }

  zone() {
    return this.curve?.zone ?? "UTC";
  }

  draw() {
    const box = byId("curve-plot");
    if (!this.now || this.now.points.length === 0 || !this.curve) return;
    byId("curve-empty").hidden = true;
    byId("curve-shown").hidden = false;
    const lines = [lineOf("now", this.now), lineOf("then", this.then)].filter((line) => line.points.length > 0);
    const places = placesOf(this.now.unit);
    const { width, height } = box.getBoundingClientRect();
    if (width > 0) box.replaceChildren(plot(lines, { width, height, places, label: this.labels() }));
    this.describe(places);
  }

  labels() {
    const points = this.now.points;
    const spans = Date.parse(points[points.length - 1].end) - Date.parse(points[0].start);
    const name = spans > LONG_MS ? monthOf : spans > 2 * DAY_MS ? dayOf : clockTime;
    return (ms) => name(ms, this.zone());
  }

  describe(places) {
    const { partial, unit } = this.now;
    setText(byId("curve-about"), [unit, partial ? "partial" : null, this.notLive].filter(Boolean).join(" · "));
    setText(byId("curve-now"), `Now: session of ${sessionOf(this.now)}`);
    const then = this.then && `As known then: session of ${sessionOf(this.then)}`;
    setText(byId("curve-then"), then || this.thenNote || "Nothing to compare");
    byId("curve-plot").setAttribute("aria-label", `Forward curve ${this.curve.curve}. The table below has the same.`);
    byId("curve-rows").replaceChildren(...curveRows(this.now, this.then, this.zone(), places));
  }

  empty(text) {
    byId("curve-shown").hidden = true;
    byId("curve-empty").hidden = false;
    setText(byId("curve-empty"), text);
  }
}

/** @param {string} id of a curve */
function addressOf(id) {
  return `/v1/curves/${id.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {string} day @param {number} days @returns {string} the day so many days later */
function shifted(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}
