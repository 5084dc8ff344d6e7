// Bars that were corrected while somebody looked: said in words, for a mark on a canvas is easily missed.

import { now } from "./clock.js";
import { byId, el } from "./dom.js";
import { exact } from "./numbers.js";
import { say } from "./say.js";
import { dateOf, fullTime, nearTime } from "./times.js";

const MOST = 8;
const SHOWN = ["close", "high", "low", "open", "volume", "count", "revision"];

export class Corrections {
  constructor() {
    this.list = byId("corrections");
  }

  clear() {
    this.list.replaceChildren();
    byId("corrections-box").hidden = true;
  }

  add(bar, before, zone) {
    const start = Date.parse(bar.start);
    const when = bar.interval === "1d" ? dateOf(start, zone) : nearTime(start, now(), zone);
    const [name, old, found] = changed(bar, before);
    const line = el(
      "li",
      {},
      el("span", { class: "tag" }, "corrected"),
      ` ${when} ${name} `,
      el("s", {}, old),
      " ",
      el("b", {}, found),
      el("span", { class: "muted" }, ` known ${fullTime(Date.parse(bar.updated_at), zone)}`),
    );
    this.list.prepend(line);
    while (this.list.children.length > MOST) this.list.lastChild?.remove();
    byId("corrections-box").hidden = false;
    say(`Bar of ${when} corrected: ${name} ${found}`);
  }
}

/** What shows a correction best: the close, or what else of the bar has changed. @returns {[string, string, string]} */
function changed(bar, before) {
  if (bar.count === 0) return ["close", exact(before.close), "no price any more"];
  const name = SHOWN.find((each) => bar[each] !== before[each]) ?? "close";
  return [name, exact(before[name]), exact(bar[name])];
}
