// The live stream: what is subscribed to, over connections, and whether all that was missed has come.

import { steady } from "./clock.js";
import { Connection } from "./connection.js";
import { Subscription } from "./subscription.js";

export class Stream {
  /** @param {{ onCondition: (condition: any) => void, onFrame: (frame: any, arrived: number) => void,
   *            onHealed: (about: Healed) => void, onBroken: (subscription: any) => void,
   *            onLater: (subscription: any, detail: string) => void }} to */
  constructor(to) {
    this.to = to;
    this.ids = 0;
    this.made = 0;
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

  /** @param {Record<string, unknown>} what channel, and instruments or filter @param {import("./subscription.js").Listener} listener */
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
