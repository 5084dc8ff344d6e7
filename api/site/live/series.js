// The last prices of an instrument, by interval: what a trend is drawn from, and what a change is counted against.

const MOST = 48;

export class Series {
  constructor() {
    /** @type {{ at: number, price: number }[]} in order of their start */
    this.points = [];
  }

  /** Puts a price in its place; a correction replaces the one of the same interval. */
  put(at, price) {
    if (price === null || price === undefined || Number.isNaN(at)) return;
    let index = this.points.length;
    while (index > 0 && this.points[index - 1].at >= at) index -= 1;
    const replaced = this.points[index]?.at === at ? 1 : 0;
    this.points.splice(index, replaced, { at, price });
    if (this.points.length > MOST) this.points.splice(0, this.points.length - MOST);
  }

  /** The price at that start less the one before it; null where that is not known. */
  changeAt(at) {
    const index = this.points.findIndex((point) => point.at === at);
    return index > 0 ? this.points[index].price - this.points[index - 1].price : null;
  }
}
