// Bars that were corrected while somebody looked: said in words, for a mark on a canvas is easily missed.

import { now } from "./clock.js";
import { byId, el } from "./dom.js";
import { exact } from "./numbers.js";
import { say } from "./say.js";
import { dateOf, fullTime, nearTime } from "./times.js";

const MOST = 8;

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
    const close = bar.count === 0 ? "no price any more" : exact(bar.close);
    const line = el(
      "li",
      {},
      el("span", { class: "tag" }, "corrected"),
      ` ${when} close `,
      el("s", {}, exact(before.close)),
      " ",
      el("b", {}, close),
      el("span", { class: "muted" }, ` known ${fullTime(Date.parse(bar.updated_at), zone)}`),
    );
    this.list.prepend(line);
    while (this.list.children.length > MOST) this.list.lastChild?.remove();
    byId("corrections-box").hidden = false;
    say(`Bar of ${when} corrected: close ${close}`);
  }
}
