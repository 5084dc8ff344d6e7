// The order of the grid: by a column, when its head is pressed. Prices that tick do not make rows jump about.

import { setAttribute } from "./dom.js";

const OF = {
  instrument: (quote) => quote.row.location ?? quote.row.instrument,
  price: (quote) => quote.row.price,
  change: (quote) => quote.change,
  age: (quote) => (quote.row.interval_start === null ? null : -Date.parse(quote.row.interval_start)),
};

export class Sorting {
  /** @param {HTMLElement} grid whose heads hold buttons with `data-sort` @param {() => void} changed */
  constructor(grid, changed) {
    this.by = "instrument";
    this.isDown = false;
    this.buttons = /** @type {HTMLElement[]} */ ([...grid.querySelectorAll("button[data-sort]")]);
    for (const button of this.buttons) {
      button.addEventListener("click", () => {
        this.press(button.dataset.sort);
        changed();
      });
    }
  }

  press(name) {
    // Of prices and changes the largest ones are asked for first.
    this.isDown = this.by === name ? !this.isDown : name === "price" || name === "change";
    this.by = name;
    for (const button of this.buttons) {
      const order = button.dataset.sort === name ? (this.isDown ? "descending" : "ascending") : null;
      setAttribute(button.closest("th"), "aria-sort", order);
    }
  }
}

/** @param {any[]} quotes @param {Sorting} sorting @returns {any[]} those without a value at the end */
export function ordered(quotes, { by, isDown }) {
  const value = OF[by];
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  return [...quotes].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    return (isDown ? -1 : 1) * compare(a, b) || compare(one.key, other.key);
  });
}
