// Prices as text. A double keeps 15 digits, which is all that a price of power or gas has; `exact` shows each of them.

const MINUS = "\u2212";

/** Decimals that a column of prices is aligned by: gas is quoted finer than power. */
export function placesOf(unit) {
  return unit !== null && unit !== undefined && unit.includes("MMBtu") ? 3 : 2;
}

/** A price with a fixed number of decimals, and a true minus sign. */
export function price(value, places = 2) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** The same with its sign, of differences. */
export function change(value, places = 2) {
  if (value === null || value === undefined) return "–";
  const text = price(value, places);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** All digits. */
export function exact(value) {
  return value === null || value === undefined ? "–" : String(value).replace("-", MINUS);
}

/** 12,345 */
export function count(value) {
  return value.toLocaleString("en-US");
}

/** One or many. */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** up, down or flat: what a colour and an arrow say. */
export function direction(value) {
  if (value === null || value === undefined || value === 0) return "flat";
  return value > 0 ? "up" : "down";
}
