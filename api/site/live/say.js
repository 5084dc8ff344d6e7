import { byId } from "./dom.js";

// What changed, for those who listen: changes of state, never every price.

let last = "";

/** @param {string} text */
export function say(text) {
  if (text === last) return;
  last = text;
  byId("said").textContent = text;
}
