// Instants as people read them: in UTC, or in the market's own time where that is asked for.

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** @type {Map<string, Intl.DateTimeFormat>} */
const made = new Map();

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options */
function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!made.has(key)) {
    made.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  }
  return /** @type {Intl.DateTimeFormat} */ (made.get(key));
}

const CLOCK = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
const DAY = /** @type {const} */ ({ day: "2-digit", month: "short" });

/** 14:05 */
export function clockTime(ms, zone = "UTC") {
  return format(zone, CLOCK).format(ms);
}

/** 14:05:09 */
export function fullTime(ms, zone = "UTC") {
  return format(zone, { ...CLOCK, second: "2-digit" }).format(ms);
}

/** 28 Nov */
export function dayOf(ms, zone = "UTC") {
  return format(zone, DAY).format(ms);
}

/** 28 Nov 2026 */
export function dateOf(ms, zone = "UTC") {
  return format(zone, { ...DAY, year: "numeric" }).format(ms);
}

/** Nov 2026 */
export function monthOf(ms, zone = "UTC") {
  return format(zone, { month: "short", year: "numeric" }).format(ms);
}

/** The time alone where it is today, else with its day. */
export function nearTime(ms, now, zone = "UTC") {
  const day = dayOf(ms, zone);
  return day === dayOf(now, zone) ? clockTime(ms, zone) : `${day} ${clockTime(ms, zone)}`;
}

/** How the zone calls itself at that instant, e.g. UTC or CST. */
export function zoneName(zone, ms) {
  const part = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" })
    .formatToParts(ms)
    .find((each) => each.type === "timeZoneName");
  return part?.value ?? zone;
}

/** An age in two units at most; of what lies ahead, how long until then. */
export function age(ms) {
  return ms < 0 ? `in ${span(-ms)}` : span(ms);
}

/** 42s, 4m 05s, 3h 12m, 2d 4h */
export function span(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (part) => String(part).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (ms < HOUR_MS) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h ${two(Math.floor((ms % HOUR_MS) / 60_000))}m`;
  return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** 12 ms, 1.4 s, 3m 10s: of delays. */
export function delay(ms) {
  const whole = Math.max(0, ms);
  if (whole < 1000) return `${Math.round(whole)} ms`;
  return whole < 60_000 ? `${(whole / 1000).toFixed(1)} s` : span(whole);
}
