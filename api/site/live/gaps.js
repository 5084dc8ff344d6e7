// What the server could not send, and its REST addresses that have it.

import { counted } from "./numbers.js";
import { ask } from "./rest.js";
import { fullTime } from "./times.js";

const PAGES = 20;
const WHY = {
  window: "the log does not go back that far",
  lost: "the log was lost",
  slow: "this page was too slow",
};

/**
 * Says that there is a gap, and fills it.
 * @param {any} frame @param {(rows: any[]) => void} take @param {import("./banner.js").Banner} banner
 */
export async function mend(frame, take, banner) {
  const topic = `gap ${frame.channel}`;
  banner.notice(topic, `${told(frame)} Filling it…`);
  try {
    banner.notice(topic, await fill(frame, take));
  } catch (error) {
    banner.notice(topic, `${told(frame)} It could not be filled: ${error.message}`);
  }
}

/** @returns {Promise<string>} what became of it */
async function fill(frame, take) {
  let [rows, isWhole] = [0, true];
  for (const address of frame.fill ?? []) {
    const found = await read(address, take);
    rows += found.rows;
    isWhole &&= found.isWhole;
  }
  const but = isWhole ? "" : " There are more: load the page again to see all bars.";
  return `${told(frame)} Filled with ${counted(rows, "change")} out of history.${but}`;
}

/** What a gap is, in words. */
function told(frame) {
  const from = frame.since ? ` from ${fullTime(Date.parse(frame.since))}` : "";
  const until = frame.until ? ` to ${fullTime(Date.parse(frame.until))} UTC` : from && " UTC on";
  const rows = frame.skipped ? ` ${counted(frame.skipped, "row")} skipped.` : "";
  return `A gap in ${frame.channel}${from}${until}: ${WHY[frame.reason] ?? frame.reason}.${rows}`;
}

async function read(address, take) {
  let [rows, next] = [0, address];
  for (let page = 0; next && page < PAGES; page += 1) {
    const found = await ask(next);
    take(found.data);
    rows += found.data.length;
    next = found.next ? withCursor(address, found.next) : null;
  }
  return { rows, isWhole: next === null };
}

function withCursor(address, cursor) {
  const found = new URL(address, location.origin);
  found.searchParams.set("cursor", cursor);
  return found.pathname + found.search;
}
