// The REST interface, with the key in a header: never in an address.

/** An answer that is no success, with what it says to do. */
export class Refused extends Error {
  /** @param {number} status @param {string} detail @param {number | null} retryAfter seconds */
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** @type {string | null} */
let key = null;

/** @param {string | null} given */
export function useKey(given) {
  key = given;
}

export function hasKey() {
  return key !== null;
}

/**
 * @param {string} path of this server
 * @param {Record<string, string | number | string[] | null | undefined>} query
 * @param {RequestInit} more
 * @returns {Promise<any>} the JSON body; `Refused` where it is a problem, with status 0 where nobody answers
 */
export async function ask(path, query = {}, more = {}) {
  const answer = await sent(addressOf(path, query), more);
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

function addressOf(path, query) {
  const address = new URL(path, location.origin);
  // A key goes to our own server alone, whatever a frame names.
  if (address.origin !== location.origin) throw new Refused(0, "That address is not of this server.");
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined) address.searchParams.append(name, String(each));
    }
  }
  return address;
}

async function sent(address, more) {
  const headers = { Accept: "application/json", ...(key === null ? {} : { "X-API-Key": key }) };
  try {
    return await fetch(address, { credentials: "omit", redirect: "error", ...more, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer.");
  }
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  const named = (problem.errors ?? []).map((each) => each.detail).filter(Boolean);
  const detail = named[0] ?? problem.detail ?? `The server answered ${answer.status}.`;
  const after = Number(answer.headers.get("Retry-After"));
  return new Refused(answer.status, detail, after > 0 ? after : null);
}
