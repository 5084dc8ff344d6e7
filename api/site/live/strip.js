// The line of the pipeline: how far intake is, and how long prices take until they are here.

import { now } from "./clock.js";
import { byId, setText } from "./dom.js";
import { count, counted } from "./numbers.js";
import { ask } from "./rest.js";
import { delay, fullTime, span } from "./times.js";

const LOOK_MS = 5000;
const BEHIND_MS = 60_000;

export class Strip {
  /** @param {import("./latency.js").Latency} latency */
  constructor(latency) {
    this.latency = latency;
    this.knownUntil = null;
    this.status = null;
    setInterval(() => this.paint(), 1000);
    setInterval(() => document.hidden || this.look(), LOOK_MS);
    this.look();
  }

  /** @param {any} frame */
  beat(frame) {
    this.knownUntil = Date.parse(frame.known_until ?? "");
    this.paint();
  }

  async look() {
    try {
      this.status = await ask("/v1/status");
      this.note = "";
    } catch (error) {
      this.note = error.message;
    }
    this.paint();
  }

  paint() {
    if (document.hidden) return;
    this.paintIntake();
    this.paintLatency();
    const { status } = this;
    cell("prices", status ? products(status.prices) : "–", status ? late(status.products) : "", false);
    this.paintWaiting(status?.queues, status?.dead_letters);
  }

  /** Shown where the server tells it: a queue that grows says where it waits. */
  paintWaiting(queues, letters) {
    const waiting = Object.entries(queues ?? {});
    const sum = waiting.reduce((all, [, depth]) => all + depth, 0);
    const where = waiting.filter(([, depth]) => depth > 0).map(([name, depth]) => `${name} ${count(depth)}`);
    cell("queues", waiting.length > 0 ? `${count(sum)} ${sum === 1 ? "task" : "tasks"}` : null, where.join(" · "), false);
    const lately = letters ? `${count(letters.last_hour)} in the last hour` : "";
    cell("letters", letters ? count(letters.total) : null, lately, letters?.last_hour > 0);
  }

  paintIntake() {
    const told = this.status?.intake.landed_until;
    const until = Number.isFinite(this.knownUntil) && this.knownUntil ? this.knownUntil : told ? Date.parse(told) : NaN;
    const lag = now() - until;
    const isOff = this.status !== null && this.status.state !== "ok";
    const state = { ok: "in order", behind: "behind", stopped: "stopped" }[this.status?.state] ?? "";
    cell("lag", Number.isNaN(until) ? "–" : delay(lag), this.note || state, lag > BEHIND_MS || isOff);
    cell("known", Number.isNaN(until) ? "–" : `${fullTime(until)}`, "UTC", false);
    setText(byId("reasons"), (this.status?.reasons ?? []).join(" "));
    byId("reasons").hidden = !isOff;
  }

  paintLatency() {
    const found = this.latency.summary(now());
    const more = found && `95%: ${delay(found.most)} · ${counted(found.count, "price")}/min`;
    cell("screen", found ? delay(found.median) : "–", more ?? "no price in the last minute", false);
  }
}

/**
 * @param {string} name @param {string | null} value null: the cell is not shown
 * @param {string} more @param {boolean} isBad
 */
function cell(name, value, more, isBad) {
  const node = byId(`cell-${name}`);
  node.hidden = value === null;
  node.dataset.bad = String(Boolean(isBad));
  setText(node.querySelector(".value"), value ?? "");
  setText(node.querySelector(".more"), more);
}

function products({ live, late, stale }) {
  const shown = Object.entries({ live, late, stale }).filter(([name, number]) => number > 0 || name === "live");
  return shown.map(([name, number]) => `${number} ${name}`).join(" · ");
}

/** Which one has been out of time for longest. */
function late(products) {
  const off = products.filter((each) => each.status !== "live");
  off.sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
  if (off.length === 0) return products.length > 0 ? "every product in time" : "no prices yet";
  const [first] = off;
  return `${first.market} ${first.product} ${first.status} for ${span(Math.max(0, now() - Date.parse(first.since)))}`;
}
