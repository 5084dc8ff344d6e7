// A forward curve as steps: each price holds over its delivery. Two of them on one pair of axes.

import { svg } from "./dom.js";
import { price } from "./numbers.js";

const LEFT = 8;
const RIGHT = 62;
const TOP = 12;
const BOTTOM = 24;

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {{ start: number, end: number, price: number, isOld: boolean }[]} points
 */

/**
 * @param {Line[]} lines the first one lies on top
 * @param {{ width: number, height: number, places: number, label: (ms: number) => string }} how
 * @returns {SVGElement}
 */
export function plot(lines, { width, height, places, label }) {
  const scale = scaled(lines.flatMap((line) => line.points), width, height);
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true", class: "plot" },
    ...scale.ticks.flatMap((value) => ruled(value, scale, width, places)),
    ...dates(lines[0].points, scale, width, height, label),
    ...[...lines].reverse().map((line) => drawn(line, scale)),
  );
}

function scaled(points, width, height) {
  const prices = points.map((point) => point.price);
  const ticks = rungs(Math.min(...prices), Math.max(...prices));
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const [first, last] = [Math.min(...points.map((p) => p.start)), Math.max(...points.map((p) => p.end))];
  const x = (at) => round(LEFT + ((at - first) / (last - first || 1)) * (width - LEFT - RIGHT));
  const y = (value) => round(TOP + ((high - value) / (high - low || 1)) * (height - TOP - BOTTOM));
  return { x, y, ticks };
}

/** Round numbers from below the least to above the most. */
function rungs(low, high) {
  const room = high - low || Math.abs(high) * 0.1 || 1;
  const rough = 10 ** Math.floor(Math.log10(room / 4));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * rough).find((each) => room / each <= 5) ?? rough * 10;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function ruled(value, { y }, width, places) {
  const zero = Math.abs(value) < 1e-9 ? " zero" : "";
  return [
    svg("line", { class: `rule${zero}`, x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { class: "label", x: width - RIGHT + 8, y: y(value) + 4 }, price(value, places)),
  ];
}

/** The beginnings of deliveries, so far apart that their names have room. */
function dates(points, { x }, width, height, label) {
  const marks = [];
  let free = 0;
  for (const { start } of points) {
    if (x(start) < free || x(start) > width - RIGHT - 40) continue;
    marks.push(svg("line", { class: "rule", x1: x(start), x2: x(start), y1: TOP, y2: height - BOTTOM + 4 }));
    marks.push(svg("text", { class: "label", x: x(start), y: height - 6 }, label(start)));
    free = x(start) + 84;
  }
  return marks;
}

function drawn(line, { x, y }) {
  const group = svg("g", { class: `line ${line.name}` });
  let before = null;
  let path = "";
  for (const point of line.points) {
    // A delivery that is missing leaves a hole: nothing is drawn where nothing was priced.
    const joins = before !== null && before.end === point.start;
    path += joins ? `V${y(point.price)}` : `M${x(point.start)} ${y(point.price)}`;
    path += `H${x(point.end)}`;
    before = point;
  }
  group.append(svg("path", { d: path }));
  for (const point of line.points.filter((each) => each.isOld)) {
    group.append(svg("circle", { cx: x((point.start + point.end) / 2), cy: y(point.price), r: 2.5 }));
  }
  return group;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
