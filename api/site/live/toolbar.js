// The search box, the buttons in the head of the page, and the keys that reach them from anywhere.

import { byId, setText } from "./dom.js";

/** @param {{ search: (text: string) => void, times: (isLocal: boolean) => void }} to */
export function install(to) {
  const search = byId("search");
  search.addEventListener("input", () => to.search(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear(search, to);
    if (event.key === "ArrowDown") enter(event);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
  times(to);
  theme();
}

function clear(search, to) {
  search.value = "";
  to.search("");
}

/** From the search box down into what was found. */
function enter(event) {
  const row = /** @type {HTMLElement | null} */ (document.querySelector("#rows tr[tabindex='0']"));
  if (!row) return;
  event.preventDefault();
  row.focus();
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.matches("input, select, textarea") || target.isContentEditable);
}

function times(to) {
  const button = byId("times");
  let isLocal = false;
  button.addEventListener("click", () => {
    isLocal = !isLocal;
    setText(button, `Time: ${isLocal ? "market" : "UTC"}`);
    to.times(isLocal);
  });
}

function theme() {
  const button = byId("theme");
  const paint = () => setText(button, `Theme: ${document.documentElement.dataset.themeChosen}`);
  button.addEventListener("click", () => dispatchEvent(new Event("gridtick-theme-next")));
  addEventListener("gridtick-theme", paint);
  paint();
}
