// Which prices are listed: those of a market and product, or a list of one's own.

import { byId, el } from "./dom.js";
import { count } from "./numbers.js";
import { own, place } from "./place.js";
import { ask } from "./rest.js";

const OWN = "own";
const SUGGESTED = 20;
const PAUSE_MS = 250;

export class Picker {
  /**
   * @param {import("./markets.js").Markets} markets
   * @param {{ view: (view: string) => void, added: (instrument: string) => void }} to
   */
  constructor(markets, to) {
    this.markets = markets;
    this.select = byId("view");
    this.input = byId("add-input");
    this.select.addEventListener("change", () => to.view(this.select.value));
    this.input.addEventListener("input", () => this.suggest());
    byId("add-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.input.value.trim()) to.added(this.input.value.trim());
      this.input.value = "";
    });
  }

  /** Without a key there is one view. */
  demo() {
    this.select.replaceChildren(el("option", { value: "demo" }, "Demo instruments"));
    this.select.disabled = true;
    byId("add-form").hidden = true;
  }

  /** @returns {string} the view that the address asks for, or the best one */
  offer() {
    const groups = this.markets.all.map((market) => {
      const options = market.products.map((each) => option(market.market, each));
      return el("optgroup", { label: market.market.toUpperCase() }, ...options);
    });
    this.select.replaceChildren(el("option", { value: OWN }, "My instruments"), ...groups);
    this.select.disabled = false;
    byId("add-form").hidden = false;
    const wanted = place().view ?? (own().length > 0 ? OWN : this.markets.first());
    this.select.value = wanted;
    if (this.select.value !== wanted) this.select.value = this.markets.first() || OWN;
    return this.select.value;
  }

  show(view) {
    this.select.value = view;
  }

  suggest() {
    clearTimeout(this.waiting);
    const q = this.input.value.trim();
    if (q.length < 2) return;
    this.waiting = setTimeout(async () => {
      const found = await ask("/v1/instruments", { q, limit: SUGGESTED }).catch(() => ({ data: [] }));
      const options = found.data.map((each) => el("option", { value: each.instrument }, each.name ?? ""));
      byId("suggested").replaceChildren(...options);
    }, PAUSE_MS);
  }
}

function option(market, { product, instruments }) {
  const text = `${market} ${product} (${count(instruments)})`;
  return el("option", { value: `${market}.${product}`, disabled: instruments === 0 }, text);
}

/** What to subscribe to for a view; null: nothing is on the list yet. */
export function wantedOf(view) {
  if (view === "demo") return { channel: "demo" };
  if (view === OWN) return own().length > 0 ? { channel: "prices", instruments: own() } : null;
  const [market, product] = view.split(".");
  return { channel: "prices", filter: { market, product } };
}
