// A trend as a line: inline SVG. Prices hold over their interval, so it goes in steps.

import { svg } from "./dom.js";

const WIDTH = 84;
const HEIGHT = 20;
const EDGE = 2;

/** @param {{ at: number, price: number }[]} points @returns {SVGElement | null} null: too few for a line */
export function spark(points) {
  if (points.length < 2) return null;
  const scale = scaled(points);
  const last = points[points.length - 1];
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true", class: "spark" },
    scale.zero === null ? null : svg("line", { class: "zero", x1: 0, x2: WIDTH, y1: scale.zero, y2: scale.zero }),
    svg("path", { class: "trend", d: path(points, scale) }),
    svg("circle", { class: "last", cx: scale.x(last.at), cy: scale.y(last.price), r: 1.8 }),
  );
}

function scaled(points) {
  const prices = points.map((point) => point.price);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const [first, last] = [points[0].at, points[points.length - 1].at];
  const x = (at) => round(EDGE + ((at - first) / (last - first)) * (WIDTH - 2 * EDGE));
  const y = (price) => round(high === low ? HEIGHT / 2 : EDGE + ((high - price) / (high - low)) * (HEIGHT - 2 * EDGE));
  return { x, y, zero: low < 0 && high > 0 ? y(0) : null };
}

function path(points, { x, y }) {
  const steps = points.slice(1).map((point) => `H${x(point.at)}V${y(point.price)}`);
  return `M${x(points[0].at)} ${y(points[0].price)}${steps.join("")}`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
