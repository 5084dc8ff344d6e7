// Subscriptions that outlive connections: each goes on where it was, and knows whether something is missing.

import { Chain, isWhole } from "./chain.js";
import { steady } from "./clock.js";
import { Connection } from "./connection.js";

/**
 * @typedef {object} Listener
 * @property {(rows: any[], isFirst: boolean, isLast: boolean) => void} [snapshot] a snapshot replaces what was there
 * @property {(rows: any[], frame: any, arrived: number) => void} [update]
 * @property {(frame: any) => void} [closed] an interval is complete
 * @property {(frame: any) => void} [gap]
 * @property {(detail: string) => void} [lacking] instruments that are not there, the others are
 * @property {(detail: string, code: string) => void} [failed]
 */

export class Stream {
  /** @param {{ onCondition: (condition: any) => void, onFrame: (frame: any, arrived: number) => void,
   *            onHealed: (about: Healed) => void, onBroken: (subscription: any) => void }} to */
  constructor(to) {
    this.to = to;
    this.ids = 0;
    /** @type {Set<Subscription>} */
    this.all = new Set();
    this.connection = new Connection({
      onWelcome: () => this.begin(),
      onFrame: (frame, arrived) => this.take(frame, arrived),
      onCondition: (condition) => this.changed(condition),
    });
    /** @type {Healing | null} */
    this.healing = null;
  }

  start() {
    this.healing = null;
    for (const each of this.all) each.chain.forget();
    this.connection.start();
  }

  /** @param {Record<string, unknown>} what channel, and instruments or filter @param {Listener} listener */
  subscribe(what, listener) {
    const made = new Subscription(this, what, listener);
    this.all.add(made);
    if (this.isOpen()) made.ask();
    return made;
  }

  isOpen() {
    return this.connection.condition.name === "live" || this.connection.condition.name === "waiting";
  }

  begin() {
    for (const each of this.all) if (each.id === null) each.ask();
    if (this.healing) this.healing.waiting = new Set(this.all);
  }

  changed(condition) {
    const isCut = condition.name === "stalled" || condition.name === "lost";
    if (isCut && condition.since !== null && !this.healing) {
      this.healing = { since: condition.since, waiting: new Set(), replayed: 0, gaps: 0 };
    }
    if (!this.isOpen()) for (const each of this.all) each.id = null;
    this.to.onCondition(condition);
  }

  take(frame, arrived) {
    this.to.onFrame(frame, arrived);
    if (frame.type === "heartbeat") this.beat(frame);
    for (const each of this.all) if (each.isMeant(frame)) each.take(frame, arrived);
  }

  beat(frame) {
    for (const told of frame.subscriptions ?? []) {
      for (const each of this.all) if (each.id === told.id && !each.chain.beat(told)) each.broken();
    }
  }

  /** One of them has all that it missed. */
  caughtUp(subscription) {
    if (!this.healing?.waiting.delete(subscription) || this.healing.waiting.size > 0) return;
    const { since, replayed, gaps } = this.healing;
    this.healing = null;
    this.to.onHealed({ since, until: steady(), replayed, gaps });
  }
}

/** @typedef {{ since: number, waiting: Set<Subscription>, replayed: number, gaps: number }} Healing */
/** @typedef {{ since: number, until: number, replayed: number, gaps: number }} Healed */

export class Subscription {
  /** @param {Stream} stream @param {Record<string, unknown>} what @param {Listener} listener */
  constructor(stream, what, listener) {
    this.stream = stream;
    this.what = what;
    this.listener = listener;
    this.chain = new Chain();
    /** @type {number | null} of this connection */
    this.id = null;
    this.breaks = 0;
  }

  ask() {
    this.id = this.stream.ids += 1;
    const { resume } = this.chain;
    this.stream.connection.send({ op: "subscribe", id: this.id, ...this.what, ...(resume ? { resume } : {}) });
  }

  end() {
    this.stream.all.delete(this);
    if (this.id !== null && this.stream.isOpen()) this.stream.connection.send({ op: "unsubscribe", id: this.id });
    this.id = null;
    this.stream.caughtUp(this);
  }

  /** Whether a frame is of this subscription; one without an id is of all of its channel. */
  isMeant(frame) {
    return this.id !== null && (frame.id === undefined ? frame.channel === this.what.channel : frame.id === this.id);
  }

  take(frame, arrived) {
    const by = { snapshot: this.data, update: this.data, gap: this.gap, error: this.failed, subscribed: this.answered };
    if (frame.type === "caught_up") this.stream.caughtUp(this);
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
      return;
    }
    this.breaks = 0;
    if (frame.replayed && this.stream.healing) this.stream.healing.replayed += frame.data.length;
    this.listener.update?.(frame.data, frame, arrived);
  }

  gap(frame) {
    this.chain.skip(frame);
    if (this.stream.healing) this.stream.healing.gaps += 1;
    this.listener.gap?.(frame);
  }

  answered(frame) {
    const told = (frame.errors ?? []).map((each) => `${each.instrument}: ${each.detail}`);
    if (told.length > 0) this.listener.lacking?.(told.join(" "));
  }

  failed(frame) {
    this.listener.failed?.(frame.detail, frame.code);
    this.id = null;
    this.stream.caughtUp(this);
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
