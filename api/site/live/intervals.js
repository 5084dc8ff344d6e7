// The intervals of bars, and the switch between them. Bars finer than what a product is made of do not exist.

export const INTERVALS = /** @type {const} */ (["1m", "5m", "15m", "1h", "1d"]);
const SECONDS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400 };

/** @param {string} interval of bars, days as those of 24 hours */
export function milliseconds(interval) {
  return SECONDS[interval] * 1000;
}

/** @param {string} interval @param {string} finest */
export function isFiner(interval, finest) {
  return (SECONDS[interval] ?? 0) < (SECONDS[finest] ?? 0);
}

export class IntervalSwitch {
  /** @param {HTMLElement} fieldset with a radio button of each @param {(interval: string) => void} changed */
  constructor(fieldset, changed) {
    this.radios = /** @type {HTMLInputElement[]} */ ([...fieldset.querySelectorAll("input")]);
    fieldset.addEventListener("change", () => changed(this.value));
  }

  /** What shows most of a product at first: some of its prices in each bar, of days ahead each price. */
  suggest(finest, isAhead) {
    const at = INTERVALS.findIndex((interval) => interval === finest);
    this.value = INTERVALS[isAhead ? at : Math.min(at + 1, INTERVALS.length - 1)] ?? "1h";
  }

  get value() {
    return this.radios.find((radio) => radio.checked)?.value ?? "1h";
  }

  set value(interval) {
    for (const radio of this.radios) radio.checked = radio.value === interval;
  }

  /** Leaves those that the product has; where the chosen one is finer, the finest is chosen. */
  allow(finest) {
    for (const radio of this.radios) {
      radio.disabled = isFiner(radio.value, finest);
      const label = /** @type {HTMLElement} */ (radio.parentElement);
      label.title = radio.disabled ? `This product has no bars finer than ${finest}` : "";
    }
    if (isFiner(this.value, finest)) this.value = finest;
  }
}
