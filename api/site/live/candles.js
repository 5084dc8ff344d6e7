// The panel of candles: history by REST, then what the stream brings, in one store, so that none is lost in between.

import { Bars } from "./bars.js";
import { CandleChart } from "./chart.js";
import { byId } from "./dom.js";
import { earlierBars, finestOf, newestBars } from "./history.js";
import { mend } from "./gaps.js";
import { IntervalSwitch } from "./intervals.js";
import { Legend } from "./legend.js";
import { placesOf } from "./numbers.js";
import { Corrections } from "./corrections.js";
import { hasKey } from "./rest.js";

export class Candles {
  /** @param {import("./stream.js").Stream} stream
   *  @param {{ finestOf: (row: any) => string, isAhead: (row: any) => boolean,
   *            zoneOf: (market: string) => string, dayZoneOf: (row: any) => string,
   *            chosen: (interval: string) => void,
   *            banner: import("./banner.js").Banner }} about */
  constructor(stream, about) {
    this.stream = stream;
    this.about = about;
    this.row = null;
    /** @type {CandleChart | null} made when there is something to draw */
    this.chart = null;
    this.bars = new Bars();
    this.legend = new Legend();
    this.corrections = new Corrections();
    this.isSuggested = true;
    this.switch = new IntervalSwitch(byId("intervals"), (interval) => {
      this.isSuggested = false;
      about.chosen(interval);
      this.load();
    });
  }

  /** @param {any} row a price of the instrument */
  show(row) {
    const isSame = this.row?.instrument === row.instrument && this.row?.tenant === row.tenant;
    this.row = row;
    if (isSame) return;
    if (this.isSuggested) this.switch.suggest(this.about.finestOf(row), this.about.isAhead(row));
    this.switch.allow(this.about.finestOf(row));
    this.load();
  }

  /** An interval that somebody has chosen stays, whatever is looked at. */
  setInterval(interval) {
    this.isSuggested = false;
    this.switch.value = interval;
  }

  /** Nothing is chosen. */
  clear() {
    this.row = null;
    this.leave();
    this.empty("Choose an instrument to see its bars.");
  }

  leave() {
    this.subscription?.end();
    this.subscription = null;
    this.loading?.abort();
    this.bars = new Bars();
    this.isAtEdge = false;
    this.corrections.clear();
  }

  async load() {
    this.leave();
    if (!this.row) return;
    if (!hasKey()) {
      this.empty("Candles of this instrument, live and back in time, need a key with the scope bars:read.");
      return;
    }
    this.loading = new AbortController();
    this.empty("Loading bars…");
    this.listen();
    await this.read(this.loading.signal);
  }

  wanted() {
    return { instrument: this.row.instrument, tenant: this.row.tenant, interval: this.switch.value };
  }

  async read(signal) {
    try {
      this.take(await newestBars(this.wanted(), signal), false);
      this.redraw(true);
      if (this.bars.byStart.size === 0) this.empty("No bars in this time. They appear here as prices come.");
    } catch (error) {
      if (!signal.aborted) this.refused(error);
    }
  }

  refused(error) {
    const finest = finestOf(error);
    if (finest === null || finest === this.switch.value) this.empty(error.message);
    else {
      this.switch.allow(finest);
      this.load();
    }
  }

  listen() {
    const { instrument, interval } = this.wanted();
    this.subscription = this.stream.subscribe(
      { channel: "bars", instruments: [instrument], interval },
      {
        snapshot: (rows) => this.live(rows),
        update: (rows) => this.live(rows),
        closed: (frame) => this.close(frame),
        gap: (frame) => mend(frame, (rows) => this.fill(rows), this.about.banner),
        lacking: (detail) => this.legend.note(`Not live: ${detail}`),
        failed: (detail) => this.legend.note(`Not live: ${detail}`),
      },
    );
  }

  live(rows) {
    this.take(rows, true);
    this.plan();
  }

  /** What fills a gap; rows of others are among it. */
  fill(rows) {
    if (this.row) this.live(rows.filter((row) => row.interval !== undefined));
  }

  take(rows, isLive) {
    const { instrument, tenant, interval } = this.wanted();
    for (const bar of rows) {
      if (bar.instrument !== instrument || bar.interval !== interval || (tenant && bar.tenant !== tenant)) continue;
      const { change, before } = this.bars.put(bar);
      if (isLive && (change === "corrected" || change === "gone")) this.corrections.add(bar, before, this.zone());
    }
  }

  close(frame) {
    const { market, product, instrument } = this.row ?? {};
    if (frame.market !== market || frame.product !== product || frame.interval !== this.switch.value) return;
    const open = (frame.open ?? []).map((each) => each.instrument ?? each);
    if (!open.includes(instrument)) this.bars.close(Date.parse(frame.start), Date.parse(frame.end));
    this.legend.closed(frame, this.zone());
    this.plan();
  }

  plan() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      this.redraw(false);
    });
  }

  zone() {
    return this.switch.value === "1d" ? this.about.dayZoneOf(this.row) : this.about.zoneOf(this.row.market);
  }

  redraw(isFirst) {
    if (!this.row || this.bars.byStart.size === 0) return;
    const wasEmpty = byId("chart").hidden;
    byId("chart").hidden = byId("legend").hidden = false;
    byId("candles-empty").hidden = true;
    const bars = this.bars.sorted();
    this.chart ??= new CandleChart(byId("chart"), {
      hover: (bar) => this.legend.show(bar ?? bars.at(-1) ?? null, this.zone()),
      edge: () => this.earlier(),
    });
    this.chart.setTimes(this.zone(), this.switch.value === "1d");
    this.chart.draw(bars, this.bars.corrected, placesOf(this.row.unit));
    if (isFirst || wasEmpty) this.chart.fit();
    this.legend.describe(this.row, this.switch.value, bars, this.zone());
  }

  /** The left edge is near: what lies before it, until nothing does. */
  async earlier() {
    const oldest = this.bars.oldest();
    if (this.isAtEdge || oldest === null || !this.loading) return;
    this.isAtEdge = true;
    const { signal } = this.loading;
    try {
      const rows = await earlierBars(this.wanted(), oldest, signal);
      if (signal.aborted) return;
      this.take(rows, false);
      this.redraw(false);
      this.isAtEdge = rows.length === 0;
    } catch {
      // What is shown stays as it is.
    }
  }

  empty(text) {
    byId("chart").hidden = byId("legend").hidden = true;
    byId("candles-empty").hidden = false;
    byId("candles-empty").textContent = text;
    this.legend.clear();
  }
}
