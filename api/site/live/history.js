// Bars of the past, by REST.

import { now } from "./clock.js";
import { milliseconds } from "./intervals.js";
import { ask, Refused } from "./rest.js";

const BARS = 300;
const PER_ASK = 40;
const TREND = 36;

/** @typedef {{ instrument: string, tenant?: string, interval: string }} Wanted */

/** The newest bars of an instrument; what lies ahead is among them. */
export async function newestBars({ instrument, tenant, interval }, signal) {
  const start = instant(now() - BARS * milliseconds(interval));
  return (await ask("/v1/bars", { instrument, tenant, interval, start, limit: 5000 }, { signal })).data;
}

/** Those before an instant. */
export async function earlierBars({ instrument, tenant, interval }, before, signal) {
  const start = instant(before - BARS * milliseconds(interval));
  const query = { instrument, tenant, interval, start, end: instant(before), limit: 5000 };
  return (await ask("/v1/bars", query, { signal })).data;
}

/**
 * The last closes of many instruments of one product, for their trends, some at a time.
 * @param {string[]} instruments @param {string} interval the finest of their product @param {boolean} isAhead
 * @param {(rows: any[]) => void} each
 */
export async function trends(instruments, interval, isAhead, each) {
  const back = (isAhead ? 24 : TREND) * milliseconds(interval);
  for (let at = 0; at < instruments.length; at += PER_ASK) {
    const instrument = instruments.slice(at, at + PER_ASK);
    const query = { instrument, interval, start: instant(now() - back), limit: PER_ASK * (TREND + 1) };
    each((await ask("/v1/bars", query)).data);
  }
}

/** The finest interval that a refusal names, where it is about that. */
export function finestOf(error) {
  if (!(error instanceof Refused) || error.status !== 422) return null;
  return /finer than (\w+)/.exec(error.message)?.[1] ?? null;
}

function instant(ms) {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
