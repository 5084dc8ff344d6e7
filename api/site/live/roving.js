// One stop of the Tab key for a whole grid; arrow keys walk through its rows.

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };

export class Roving {
  /**
   * @param {HTMLElement} body whose children are the rows
   * @param {{ choose: (row: HTMLElement) => void, other?: (event: KeyboardEvent, row: HTMLElement) => void }} to
   */
  constructor(body, to) {
    this.body = body;
    this.to = to;
    body.addEventListener("keydown", (event) => this.press(event));
    body.addEventListener("focusin", (event) => this.stand(rowOf(event.target)));
    body.addEventListener("click", (event) => this.click(rowOf(event.target)));
  }

  rows() {
    return /** @type {HTMLElement[]} */ ([...this.body.children]);
  }

  /** After rows have come or gone there is still one that Tab reaches. */
  settle() {
    if (!this.at?.isConnected) this.stand(this.rows().find((row) => row.ariaSelected === "true") ?? this.rows()[0]);
  }

  stand(row) {
    if (!row || row === this.at) return;
    if (this.at) this.at.tabIndex = -1;
    row.tabIndex = 0;
    this.at = row;
  }

  click(row) {
    if (!row) return;
    this.stand(row);
    row.focus({ preventScroll: true });
    this.to.choose(row);
  }

  press(event) {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.to.choose(row);
    else if (event.key in STEPS) this.walk(row, STEPS[event.key]);
    else {
      this.to.other?.(event, row);
      return;
    }
    event.preventDefault();
  }

  walk(row, step) {
    const rows = this.rows();
    const index = Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step));
    rows[index].focus();
    rows[index].scrollIntoView({ block: "nearest" });
  }
}

/** @returns {HTMLElement | null} */
function rowOf(target) {
  return target instanceof Element ? target.closest("tr") : null;
}
