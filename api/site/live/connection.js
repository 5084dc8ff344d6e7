// One connection at a time to the live stream, made again whenever it breaks or falls silent.

import { isFinal, meaning, pause } from "./backoff.js";
import { learn, steady } from "./clock.js";
import { ask, hasKey, Refused } from "./rest.js";

const WELCOME_MS = 10_000;
const LOOK_MS = 500;

/**
 * @typedef {object} Condition
 * @property {"off" | "connecting" | "live" | "waiting" | "stalled" | "lost" | "ended"} name
 * @property {number | null} since steady milliseconds of the last frame that came
 * @property {number | null} again steady milliseconds of the next try
 * @property {string} detail
 */

export class Connection {
  /** @param {{ onWelcome: (frame: any) => void, onFrame: (frame: any, arrived: number) => void,
   *            onCondition: (condition: Condition) => void }} to */
  constructor(to) {
    this.to = to;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.beatMs = 5000;
    this.failures = 0;
    this.heard = null;
    this.began = 0;
    this.asked = new Map();
    this.pings = 0;
    this.ending = "";
    this.isWelcome = false;
    /** @type {Condition} */
    this.condition = { name: "off", since: null, again: null, detail: "" };
    setInterval(() => this.look(), LOOK_MS);
    addEventListener("online", () => this.tryNow());
  }

  start() {
    this.stop();
    this.heard = null;
    this.failures = 0;
    this.open();
  }

  stop() {
    this.drop();
    this.tell("off");
  }

  /** Does not wait for the next try. */
  tryNow() {
    if (this.condition.again !== null || this.condition.name === "ended") this.open();
  }

  /** @param {any} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  async open() {
    this.drop();
    const turn = (this.turn = Symbol());
    this.began = steady();
    const isFirst = this.heard === null && this.failures === 0;
    this.tell(isFirst ? "connecting" : this.condition.name === "stalled" ? "stalled" : "lost");
    try {
      const address = await place();
      if (turn === this.turn) this.listen(new WebSocket(address), turn);
    } catch (error) {
      if (turn === this.turn) this.refused(error);
    }
  }

  /** @param {WebSocket} socket @param {symbol} turn */
  listen(socket, turn) {
    this.socket = socket;
    const isMine = () => turn === this.turn;
    socket.onmessage = (event) => isMine() && this.take(String(event.data));
    socket.onclose = (event) => isMine() && this.closed(event.code, event.reason);
  }

  take(text) {
    const arrived = steady();
    const frame = JSON.parse(text);
    this.heard = arrived;
    if (frame.server_time) learn(frame.server_time, arrived, this.answered(frame));
    if (frame.type === "welcome") this.welcome(frame);
    else if (frame.type === "heartbeat" && this.isWelcome) this.beat(frame);
    else if (frame.type === "error" && frame.fatal) this.ending = frame.detail;
    this.to.onFrame(frame, arrived);
  }

  welcome(frame) {
    this.beatMs = (frame.heartbeat_seconds ?? 5) * 1000;
    this.ending = "";
    this.isWelcome = true;
    this.tell("live");
    this.ping();
    this.to.onWelcome(frame);
  }

  beat(frame) {
    this.failures = 0;
    this.tell(frame.state === "waiting" ? "waiting" : "live");
    this.ping();
  }

  /** Asks for the time: how long the answer takes bounds how wrong it can be. */
  ping() {
    this.pings += 1;
    this.asked.set(this.pings, steady());
    this.send({ op: "ping", id: this.pings });
  }

  answered(frame) {
    if (frame.type !== "pong") return null;
    const at = this.asked.get(frame.id) ?? null;
    this.asked.delete(frame.id);
    return at;
  }

  /** Twice a second: whether it is silent, or time to try again. */
  look() {
    const at = steady();
    const { name, again } = this.condition;
    if (again !== null && at >= again) this.open();
    else if (name === "live" || name === "waiting") this.lookWhetherSilent(at);
    else if (name !== "off" && name !== "ended" && again === null && at - this.began > WELCOME_MS) this.later();
  }

  lookWhetherSilent(at) {
    if (at - this.heard <= 2 * this.beatMs) return;
    this.tell("stalled");
    this.later();
  }

  closed(code, reason) {
    if (isFinal(code)) {
      this.drop();
      this.tell("ended", null, this.ending || meaning(code, reason));
      return;
    }
    this.later();
  }

  /** @param {any} error of asking for a ticket */
  refused(error) {
    const status = error instanceof Refused ? error.status : 0;
    const isOver = status >= 400 && status < 500 && status !== 408 && status !== 429;
    if (isOver) this.tell("ended", null, notServed(status) ?? error.message);
    else this.later(error instanceof Refused && error.retryAfter ? error.retryAfter * 1000 : 0);
  }

  later(least = 0) {
    this.drop();
    const name = this.condition.name === "stalled" ? "stalled" : "lost";
    this.tell(name, steady() + Math.max(least, pause(this.failures)));
    this.failures += 1;
  }

  drop() {
    this.turn = undefined;
    this.isWelcome = false;
    this.asked.clear();
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  tell(name, again = null, detail = "") {
    const before = this.condition;
    this.condition = { name, since: this.heard, again, detail };
    const isSame = before.name === name && before.again === again && before.detail === detail;
    if (!isSame) this.to.onCondition(this.condition);
  }
}

/** Where to connect: with a ticket that is good once, where there is a key. */
async function place() {
  const address = new URL("/v1/stream", location.origin);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (hasKey()) address.searchParams.set("ticket", (await ask("/v1/ws-tickets", {}, { method: "POST" })).ticket);
  return address;
}

function notServed(status) {
  return status === 404 || status === 405 ? "This server has no live stream." : null;
}
