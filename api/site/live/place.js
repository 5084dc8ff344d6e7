// What is looked at, in the part of the address that is never sent: a view can be kept and passed on, without the key.

/** @typedef {{ view?: string, own?: string, instrument?: string, interval?: string, curve?: string }} Place */

/** @returns {Place} */
export function place() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** @param {Place} changed */
export function move(changed) {
  const found = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(changed)) {
    if (value) found.set(name, value);
    else found.delete(name);
  }
  history.replaceState(null, "", `${location.pathname}#${found}`);
}

/** @returns {string[]} the instruments of one's own list */
export function own() {
  return (place().own ?? "").split(",").filter(Boolean);
}
