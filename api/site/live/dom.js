// Elements are made of text alone: what comes from the server never becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {Element} T
 * @param {T} node
 * @param {Record<string, string | number | boolean | null | undefined | EventListener>} given `on…` are listeners
 * @param {(Node | string | null)[]} children
 * @returns {T}
 */
function filled(node, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** @returns {HTMLElement} */
export function el(tag, given = {}, ...children) {
  return filled(document.createElement(tag), given, children);
}

/** @returns {SVGElement} */
export function svg(tag, given = {}, ...children) {
  return filled(/** @type {SVGElement} */ (document.createElementNS(SVG, tag)), given, children);
}

/** @returns {any} the element of that id, which the page has. */
export function byId(id) {
  return document.getElementById(id);
}

/** Writes a text only where it is another one: a page that repeats itself keeps the browser busy. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets or, with null, takes away. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
