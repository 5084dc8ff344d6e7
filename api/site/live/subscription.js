// A subscription outlives connections: it goes on where it was, and knows whether something is missing.

import { isPassing, pause } from "./backoff.js";
import { Chain, isWhole } from "./chain.js";

/**
 * @typedef {object} Listener
 * @property {(rows: any[], isFirst: boolean, isLast: boolean) => void} [snapshot] a snapshot replaces what was there
 * @property {(rows: any[], frame: any, arrived: number) => void} [update]
 * @property {(frame: any) => void} [closed] an interval is complete
 * @property {(frame: any) => void} [gap] it can be filled now
 * @property {(detail: string) => void} [lacking] instruments that are not there, the others are
 * @property {(detail: string, code: string) => void} [failed]
 */

export class Subscription {
  /** @param {import("./stream.js").Stream} stream @param {Record<string, unknown>} what @param {Listener} listener */
  constructor(stream, what, listener) {
    this.stream = stream;
    /** its own, over connections */
    this.number = stream.made += 1;
    this.what = what;
    this.listener = listener;
    this.chain = new Chain();
    /** @type {number | null} of this connection */
    this.id = null;
    this.breaks = 0;
    this.refusals = 0;
    this.why = "";
    /** @type {any[]} gaps that wait for a snapshot */
    this.gaps = [];
  }

  ask() {
    this.id = this.stream.ids += 1;
    this.chain.again();
    const { resume } = this.chain;
    if (resume) this.gaps = []; // they lie behind it, and are told again
    this.stream.connection.send({ op: "subscribe", id: this.id, ...this.what, ...(resume ? { resume } : {}) });
  }

  end() {
    this.stream.all.delete(this);
    if (this.id !== null && this.stream.isOpen()) this.stream.connection.send({ op: "unsubscribe", id: this.id });
    this.id = null;
    clearTimeout(this.waiting);
    this.tell("");
    this.stream.caughtUp(this);
  }

  /** Whether a frame is of this subscription; one without an id is of all of its channel. */
  isMeant(frame) {
    return this.id !== null && (frame.id === undefined ? frame.channel === this.what.channel : frame.id === this.id);
  }

  take(frame, arrived) {
    const by = { snapshot: this.data, update: this.data, gap: this.gap, error: this.failed, subscribed: this.answered };
    if (frame.type === "caught_up") this.caughtUp();
    else if (frame.type === "interval_closed") this.listener.closed?.(frame);
    else by[frame.type]?.call(this, frame, arrived);
  }

  data(frame, arrived) {
    if (!this.chain.take(frame)) {
      this.broken();
      return;
    }
    if (frame.type === "snapshot") {
      this.listener.snapshot?.(frame.data, (frame.part ?? 1) === 1, isWhole(frame));
      if (isWhole(frame)) this.mend();
      return;
    }
    this.breaks = 0;
    if (frame.replayed && this.stream.healing) this.stream.healing.replayed += frame.data.length;
    this.listener.update?.(frame.data, frame, arrived);
  }

  gap(frame) {
    this.chain.skip(frame);
    if (this.stream.healing) this.stream.healing.gaps += 1;
    this.gaps.push(frame);
    if (!this.chain.isPartial) this.mend();
  }

  /** Earlier than this, what lands while a snapshot is made would be in nothing that is read. */
  mend() {
    for (const frame of this.gaps.splice(0)) this.listener.gap?.(frame);
  }

  caughtUp() {
    this.refusals = 0;
    this.tell("");
    this.stream.caughtUp(this);
  }

  answered(frame) {
    const told = (frame.errors ?? []).map((each) => `${each.instrument}: ${each.detail}`);
    if (told.length === 0) return;
    this.tell(""); // where none of them is there, nothing catches up
    this.listener.lacking?.(told.join(" "));
  }

  failed(frame) {
    this.id = null;
    if (isPassing(frame.code)) {
      this.later(frame.detail);
      return;
    }
    this.tell("");
    this.listener.failed?.(frame.detail, frame.code);
    this.stream.caughtUp(this);
  }

  /** Asks again after a while, on this connection; another one asks by itself. */
  later(detail) {
    this.tell(detail);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      if (this.id === null && this.stream.all.has(this) && this.stream.isOpen()) this.ask();
    }, pause(this.refusals));
    this.refusals += 1;
  }

  /** @param {string} why it waits; "": it does not */
  tell(why) {
    if (why !== this.why) this.stream.to.onLater(this, why);
    this.why = why;
  }

  /** Something is missing that nobody told of: once more from where it was whole, then anew. */
  broken() {
    const old = this.id;
    this.breaks += 1;
    if (this.breaks > 1) this.chain.forget();
    this.stream.to.onBroken(this);
    this.stream.connection.send({ op: "unsubscribe", id: old });
    this.ask();
  }
}
