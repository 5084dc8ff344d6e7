// The state of the feed, in the head of the page and, where it is not well, across it.

import { now, steady } from "./clock.js";
import { byId, el, setText } from "./dom.js";
import { counted } from "./numbers.js";
import { say } from "./say.js";
import { fullTime, span } from "./times.js";

const HEALED_MS = 12_000;
const LAST = "Values below are the last that were told.";
const WORDS = {
  off: "Off",
  connecting: "Connecting",
  live: "Live",
  waiting: "Waiting",
  stalled: "Stalled",
  lost: "Reconnecting",
  ended: "Not connected",
};

export class Banner {
  /** @param {{ again: () => void }} to */
  constructor(to) {
    /** @type {any} */
    this.condition = { name: "off", since: null, again: null, detail: "" };
    /** @type {Map<string, { text: string, kind: "good" | "warn" }>} by topic */
    this.notices = new Map();
    /** @type {Map<string, any>} timers */
    this.going = new Map();
    byId("banner-again").addEventListener("click", to.again);
    byId("notice-close").addEventListener("click", () => this.clear());
    setInterval(() => this.paint(), 500);
  }

  /** @param {any} condition */
  show(condition) {
    const isNew = condition.name !== this.condition.name;
    this.condition = condition;
    if (isNew) say(`Feed: ${WORDS[condition.name]}. ${condition.detail}`.trim());
    this.paint();
  }

  paint() {
    const { name, since, detail } = this.condition;
    const isBad = ["waiting", "stalled", "lost", "ended"].includes(name);
    byId("feed").dataset.state = name;
    setText(byId("feed-text"), WORDS[name]);
    document.body.dataset.values = isBad && since !== null ? "old" : "now";
    byId("banner").hidden = !isBad;
    if (isBad) this.words(name, since, detail);
  }

  words(name, since, detail) {
    const ago = since === null ? "" : ` since ${fullTime(served(since))} UTC (${span(steady() - since)})`;
    const said = {
      waiting: `The server cannot read what lands at the moment. ${LAST}`,
      stalled: `Nothing was heard${ago}. ${LAST}`,
      lost: since === null ? "The live stream cannot be reached." : `Not connected${ago}. ${LAST}`,
      ended: detail,
    };
    setText(byId("banner-text"), said[name]);
    setText(byId("banner-more"), this.next());
    byId("banner-again").hidden = name === "waiting";
  }

  next() {
    const { again, name } = this.condition;
    if (name === "ended" || name === "waiting") return "";
    if (again === null) return "Trying now…";
    return `Trying again in ${Math.max(1, Math.ceil((again - steady()) / 1000))} s.`;
  }

  /**
   * A note of a topic, in place of the one before it; a good one goes by itself. Without a text it is taken away.
   * @param {string} topic @param {string} text @param {"good" | "warn"} kind
   */
  notice(topic, text, kind = "warn") {
    clearTimeout(this.going.get(topic));
    this.notices.delete(topic);
    if (text) {
      this.notices.set(topic, { text, kind });
      say(text);
    }
    if (kind === "good") this.going.set(topic, setTimeout(() => this.notice(topic, ""), HEALED_MS));
    this.list();
  }

  /**
   * That a subscription waits; one channel may have several, each with a note of its own.
   * @param {{ number: number, what: Record<string, unknown> }} subscription @param {string} why "": it does not
   */
  later({ number, what }, why) {
    this.notice(`later ${number}`, why && `${what.channel}: ${why} Trying again.`);
  }

  list() {
    const every = [...this.notices.values()];
    byId("notice").hidden = every.length === 0;
    byId("notice").dataset.kind = every.some(({ kind }) => kind === "warn") ? "warn" : "good";
    byId("notice-text").replaceChildren(...every.map(({ text }) => el("p", {}, text)));
  }

  /** All of them. */
  clear() {
    this.notices.clear();
    this.list();
  }

  /**
   * All that was missed has come; a gap has a note of its own, which stays.
   * @param {{ since: number, until: number, replayed: number, gaps: number }} about
   */
  healed({ since, until, replayed, gaps }) {
    if (gaps > 0) return;
    const came = `${counted(replayed, "missed update")} came after it`;
    const missed = replayed > 0 ? came : "nothing had changed meanwhile";
    this.notice("feed", `Connected again after ${span(until - since)}. Nothing is missing: ${missed}.`, "good");
  }
}

/** An instant of the steady clock in the server's time. */
function served(at) {
  return now() - (steady() - at);
}
