// What is read of a snapshot of a curve.

import { clockTime, dayOf } from "./times.js";

/** The day, and where it was changed since, when. */
export function sessionOf({ session, version, known_at: known }) {
  const revised = version > 0 ? `, revised ${dayOf(Date.parse(known))} ${clockTime(Date.parse(known))} UTC` : "";
  return dayOf(Date.parse(session)) + revised;
}

/** As `plot` takes it; no snapshot has no points. */
export function lineOf(name, snapshot) {
  const points = (snapshot?.points ?? []).map((point) => ({
    start: Date.parse(point.start),
    end: Date.parse(point.end),
    price: point.price,
    isOld: point.flags.includes("STALE"),
  }));
  return { name, points };
}

/** Whether another one of the same curve is newer; null: there is none yet. */
export function isOlder(snapshot, than) {
  if (than === null || snapshot.session !== than.session) return than !== null && snapshot.session < than.session;
  return snapshot.version < than.version;
}
