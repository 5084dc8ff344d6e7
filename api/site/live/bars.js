// Bars of one instrument and interval: each the newest of what history and stream say of it.

/** @typedef {"new" | "changed" | "corrected" | "gone" | "old"} Change */

export class Bars {
  constructor() {
    /** @type {Map<number, any>} by start */
    this.byStart = new Map();
    /** @type {Set<number>} starts of bars that were corrected while this page looked on */
    this.corrected = new Set();
  }

  /**
   * Takes a bar, unless what is there is newer.
   * @returns {{ change: Change, before: any }}
   */
  put(bar) {
    const start = Date.parse(bar.start);
    const before = this.byStart.get(start) ?? null;
    if (before && isOlder(bar, before)) return { change: "old", before };
    if (bar.count === 0) return this.remove(start, before);
    this.byStart.set(start, bar);
    if (!before) return { change: "new", before };
    if (bar.revision <= before.revision) return { change: "changed", before };
    this.corrected.add(start);
    return { change: "corrected", before };
  }

  /** A bar that lost its last price.
   * @returns {{ change: Change, before: any }} */
  remove(start, before) {
    this.byStart.delete(start);
    return { change: before ? "gone" : "old", before };
  }

  /** An interval is over: its bars are final, but for those that lack prices. */
  close(start, end) {
    for (const bar of this.byStart.values()) {
      const at = Date.parse(bar.start);
      if (at >= start && at < end) bar.is_final = true;
    }
  }

  /** In order of their start. */
  sorted() {
    return [...this.byStart.entries()].sort(([a], [b]) => a - b).map(([, bar]) => bar);
  }

  oldest() {
    return this.byStart.size === 0 ? null : Math.min(...this.byStart.keys());
  }
}

function isOlder(bar, than) {
  if (bar.revision !== than.revision) return bar.revision < than.revision;
  return Date.parse(bar.updated_at) < Date.parse(than.updated_at);
}
