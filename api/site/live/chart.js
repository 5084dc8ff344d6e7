// Candles on a canvas. With its logo off the library writes no style element and no markup; the page names it itself.

import { CandlestickSeries, createChart, createSeriesMarkers, LineSeries } from "./lightweight-charts.js";
import { clockTime, dateOf, dayOf } from "./times.js";
import { exact, price } from "./numbers.js";

const RIGHT_ROOM = 4;

export class CandleChart {
  /** @param {HTMLElement} box @param {{ hover: (bar: any) => void, edge: () => void }} to */
  constructor(box, to) {
    this.box = box;
    this.zone = "UTC";
    this.isDaily = false;
    this.bars = [];
    this.chart = createChart(box, { autoSize: true, layout: { attributionLogo: false } });
    const quiet = { priceLineVisible: false, lastValueVisible: false };
    const line = /** @type {any} */ ({ lineWidth: 1, lineType: 1, crosshairMarkerVisible: false });
    this.steps = this.chart.addSeries(LineSeries, { ...quiet, ...line, autoscaleInfoProvider: () => null });
    this.series = this.chart.addSeries(CandlestickSeries, { ...quiet, autoscaleInfoProvider: withZero });
    const ruled = /** @type {any} */ ({ lineWidth: 1, lineStyle: 0, axisLabelVisible: false, title: "" });
    this.zero = this.series.createPriceLine({ ...ruled, price: 0 });
    this.last = this.series.createPriceLine({ price: NaN, lineWidth: 1, lineStyle: 2, title: "" });
    this.markers = createSeriesMarkers(this.series, []);
    this.chart.subscribeCrosshairMove((at) => to.hover(at.time ? this.at(at.time) : null));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => range && range.from < 5 && to.edge());
    addEventListener("gridtick-theme", () => this.restyle());
    this.restyle();
  }

  at(time) {
    return this.bars.find((bar) => Date.parse(bar.start) / 1000 === time) ?? null;
  }

  /** @param {any[]} bars in order @param {Set<number>} corrected starts @param {number} places decimals */
  draw(bars, corrected, places) {
    this.bars = bars;
    const formatter = (value) => price(value, places);
    this.series.applyOptions({ priceFormat: { type: "custom", formatter, minMove: 10 ** -places } });
    this.fill();
    this.markers.setMarkers(bars.filter((bar) => bar.revision > 0).map((bar) => this.marker(bar, corrected)));
  }

  /** Shows the newest ones, with a little room behind them. */
  fit(most = 120) {
    const to = this.bars.length + RIGHT_ROOM;
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, to - most), to });
  }

  /** @returns {any} */
  candle(bar, before) {
    const colour = this.colourOf(bar, before);
    // Hollow while it may still change in the ordinary way.
    const body = bar.is_final ? colour : this.colours.panel;
    const time = Date.parse(bar.start) / 1000;
    const { open, high, low, close } = bar;
    return { time, open, high, low, close, color: body, borderColor: colour, wickColor: colour };
  }

  /** @returns {any} */
  marker(bar, corrected) {
    const isSeen = corrected.has(Date.parse(bar.start));
    return {
      time: Date.parse(bar.start) / 1000,
      position: "aboveBar",
      shape: "circle",
      size: isSeen ? 1 : 0.2,
      color: this.colours.accent,
      // One word for all of them: many would lie over each other, and the list says which.
      text: isSeen && Date.parse(bar.start) === Math.max(...corrected) ? "corrected" : "",
    };
  }

  /** @param {string} zone whose times the axis shows @param {boolean} isDaily */
  setTimes(zone, isDaily) {
    this.zone = zone;
    this.isDaily = isDaily;
    const tick = (time, kind) => (kind < 3 ? dayOf(time * 1000, zone) : clockTime(time * 1000, zone));
    this.chart.applyOptions({
      localization: { timeFormatter: (time) => this.label(time * 1000) },
      timeScale: { timeVisible: !isDaily, secondsVisible: false, tickMarkFormatter: tick, rightOffset: RIGHT_ROOM },
    });
  }

  label(ms) {
    return this.isDaily ? dateOf(ms, this.zone) : `${dayOf(ms, this.zone)} ${clockTime(ms, this.zone)}`;
  }

  restyle() {
    const read = getComputedStyle(document.documentElement);
    const of = (name) => read.getPropertyValue(name).trim();
    this.colours = { up: of("--up"), down: of("--down"), panel: of("--panel"), accent: of("--accent") };
    const text = { textColor: of("--muted"), fontFamily: of("--font"), fontSize: 11 };
    this.chart.applyOptions({
      layout: { background: { color: of("--panel") }, ...text },
      grid: { vertLines: { color: of("--line-soft") }, horzLines: { color: of("--line-soft") } },
      rightPriceScale: { borderColor: of("--line") },
      timeScale: { borderColor: of("--line") },
      crosshair: { vertLine: { color: of("--muted") }, horzLine: { color: of("--muted") } },
    });
    this.zero.applyOptions({ color: of("--muted") });
    this.steps.applyOptions({ color: of("--muted") });
    this.fill();
  }

  fill() {
    const { bars } = this;
    this.series.setData(bars.map((bar, at) => this.candle(bar, bars[at - 1])));
    // Bars of one price each have no body: steps from one to the next make them readable.
    const isFlat = bars.filter((bar) => bar.high === bar.low).length > bars.length / 2;
    const step = (bar) => /** @type {any} */ ({ time: Date.parse(bar.start) / 1000, value: bar.close });
    this.steps.setData(isFlat ? bars.map(step) : []);
    const last = bars.at(-1);
    if (last) this.last.applyOptions({ price: last.close, color: this.colourOf(last, bars.at(-2)) });
  }

  /** Up or down over the bar; of a flat one since the bar before it. */
  colourOf(bar, before) {
    const from = bar.close === bar.open && before ? before.close : bar.open;
    return bar.close >= from ? this.colours.up : this.colours.down;
  }
}

/** Where prices are below zero the axis reaches up to it at least, so that nobody takes them for positive ones. */
function withZero(original) {
  const found = original();
  if (found?.priceRange && found.priceRange.minValue < 0) {
    found.priceRange.maxValue = Math.max(found.priceRange.maxValue, 0);
  }
  return found;
}

/** @param {any} bar @param {number} places @returns {[string, string][]} what the legend says of it */
export function told(bar, places) {
  const parts = [["O", bar.open], ["H", bar.high], ["L", bar.low], ["C", bar.close]];
  const average = bar.vwap ?? bar.twap ?? null;
  if (average !== null) parts.push([bar.vwap === null ? "TWAP" : "VWAP", average]);
  const shown = /** @type {[string, string][]} */ (parts.map(([name, value]) => [name, price(value, places)]));
  if (bar.volume !== null && bar.volume !== undefined) shown.push(["Vol", exact(bar.volume)]);
  return shown;
}
