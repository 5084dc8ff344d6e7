// The server's time, from what it says of it: the desk's own clock may be wrong, and ages must not be.

const KEPT_MS = 300_000;

/** @type {{ offset: number, doubt: number, at: number } | null} */
let best = null;

/** Milliseconds of this computer's steady clock: it does not jump when somebody sets the time. */
export function steady() {
  return performance.timeOrigin + performance.now();
}

/** Whether the server has told its time yet. */
export function isTold() {
  return best !== null;
}

/** @returns {number} the server's time now, in milliseconds since 1970 */
export function now() {
  return steady() + (best?.offset ?? 0);
}

/**
 * Learns from a frame that says what time it was when it was sent.
 * @param {string} serverTime
 * @param {number} arrived steady milliseconds
 * @param {number | null} asked when the question was sent: the answer was made between the two
 */
export function learn(serverTime, arrived, asked = null) {
  const told = Date.parse(serverTime);
  if (Number.isNaN(told)) return;
  const way = asked === null ? 0 : (arrived - asked) / 2;
  const doubt = asked === null ? 1000 : way;
  if (best === null || doubt <= best.doubt || arrived - best.at > KEPT_MS) {
    best = { offset: told - (arrived - way), doubt, at: arrived };
  }
}
