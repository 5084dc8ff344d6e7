// When to try again: a random while that grows, so that those who were cut off together do not come back together.

const FIRST_MS = 500;
const MOST_MS = 30_000;

/**
 * Full jitter.
 * @param {number} failures in a row, from 0 on
 * @param {() => number} random
 */
export function pause(failures, random = Math.random) {
  return random() * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
}

/** Codes of closing after which the same would happen again. */
export function isFinal(code) {
  return code >= 4400 && code <= 4499;
}

const PASSING = new Set(["store-away", "too-many-replays"]);

/** Codes of errors after which another try may get what was refused. */
export function isPassing(code) {
  return PASSING.has(code);
}

const WORDS = {
  4400: "The server could not read what this page sent. Load the page again.",
  4401: "The key is unknown, has expired or was revoked, or it lost its scope. Enter another one.",
  4408: "The server waited for a key and none came. Enter one.",
  4409: "This key has as many live connections as it may have. Close another page that uses it.",
  4429: "This page sent too many messages. Wait a little, then connect again.",
};

/** What a final closing means, for people. */
export function meaning(code, reason) {
  return WORDS[code] ?? (reason || `The server ended the connection for good (code ${code}).`);
}
