// How long prices take from the raw topic to the screen, over the last minute.

const KEPT_MS = 60_000;
const MOST = 2000;

export class Latency {
  constructor() {
    /** @type {{ at: number, took: number }[]} */
    this.taken = [];
  }

  /** @param {number} known when the message was appended @param {number} shown the server's time when it was painted */
  add(known, shown) {
    this.taken.push({ at: shown, took: Math.max(0, shown - known) });
    if (this.taken.length > MOST) this.taken.shift();
  }

  /** @returns {{ median: number, most: number, count: number } | null} null: nothing came in that time */
  summary(now) {
    const took = this.taken.filter(({ at }) => now - at <= KEPT_MS).map((each) => each.took);
    if (took.length === 0) return null;
    took.sort((a, b) => a - b);
    const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))];
    return { median: at(0.5), most: at(0.95), count: took.length };
  }
}
