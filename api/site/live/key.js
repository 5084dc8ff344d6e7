// The key: kept while this tab lives, in no address, shown to nobody.

import { byId, el, setText } from "./dom.js";
import { ask, Refused, useKey } from "./rest.js";

const NAME = "gridtick-key";
const NEEDED = {
  "stream:read": "nothing comes live",
  "prices:read": "no prices",
  "bars:read": "no candles",
  "curves:read": "no curves",
};

/** What a key may do; without an answer from the server nothing is ruled out. */
export class Scopes {
  /** @param {string[] | null} names */
  constructor(names) {
    this.names = names;
  }

  has(scope) {
    return this.names === null || this.names.includes(scope);
  }

  /** What does not work with it, with the scope that it lacks. */
  lacking() {
    const missing = Object.entries(NEEDED).filter(([scope]) => !this.has(scope));
    return missing.map(([scope, effect]) => `This key lacks the scope ${scope}: ${effect}.`).join(" ");
  }
}

export class KeyBox {
  /** @param {(scopes: Scopes | null, name: string) => void} changed null: there is no key */
  constructor(changed) {
    this.changed = changed;
    this.dialog = byId("key-dialog");
    this.input = byId("key-input");
    for (const button of document.querySelectorAll("[data-enter-key]")) {
      button.addEventListener("click", () => this.open());
    }
    byId("key-cancel").addEventListener("click", () => this.dialog.close());
    byId("key-forget").addEventListener("click", () => this.forget());
    byId("key-form").addEventListener("submit", (event) => this.submit(event));
  }

  open() {
    this.tell("");
    this.input.value = "";
    this.dialog.showModal();
  }

  async submit(event) {
    event.preventDefault();
    const given = this.input.value.trim();
    if (!given) {
      this.tell("Paste a key that begins with gt_live_.");
      return;
    }
    this.tell("Asking whose key it is…");
    if (await this.use(given)) this.dialog.close();
  }

  /** Takes up the key of this tab, if it has one. */
  async begin() {
    const kept = sessionStorage.getItem(NAME);
    if (kept === null || !(await this.use(kept))) this.none();
  }

  /** @returns {Promise<boolean>} false where the server does not know it, which is told */
  async use(key) {
    useKey(key);
    let me = null;
    try {
      me = await ask("/v1/me");
    } catch (error) {
      if (error instanceof Refused && error.status >= 400 && error.status < 500) {
        this.refuse(error);
        return false;
      }
    }
    sessionStorage.setItem(NAME, key);
    this.show(me?.name || me?.key_id || "key");
    this.changed(new Scopes(me?.scopes ?? null), me ? `${me.tenant}, ${me.role}` : "");
    return true;
  }

  refuse(error) {
    useKey(null);
    if (error.status === 401) sessionStorage.removeItem(NAME);
    this.tell(error.message);
  }

  forget() {
    sessionStorage.removeItem(NAME);
    useKey(null);
    this.none();
  }

  none() {
    this.show(null);
    this.changed(null, "");
  }

  /** @param {string | null} name */
  show(name) {
    byId("key-open").hidden = name !== null;
    byId("key-held").hidden = name === null;
    byId("key-name").replaceChildren(name === null ? "" : el("span", {}, `Key: ${name}`));
  }

  tell(text) {
    setText(byId("key-told"), text);
  }
}
