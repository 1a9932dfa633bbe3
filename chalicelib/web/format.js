/** Facts as people read them, in the browser's language. */

const DAY = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
});
const MONTH = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const WALL_CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const NUMBER = new Intl.NumberFormat();
const SHORT_NUMBER = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

/** @param {string} day `YYYY-MM-DD` */
export function dayName(day) {
  return DAY.format(new Date(`${day}T00:00:00Z`));
}

/** @param {string} day `YYYY-MM-DD` */
export function monthName(day) {
  return MONTH.format(new Date(`${day}T00:00:00Z`));
}

/**
 * A camera's wall clock: shown as the camera had it, whatever the zone of whoever looks.
 * @param {string} time without an offset
 */
export function wallClock(time) {
  return WALL_CLOCK.format(new Date(`${time}Z`));
}

/** @param {string} time RFC 3339 */
export function moment(time) {
  return MOMENT.format(new Date(time));
}

/** @param {number} value */
export function count(value) {
  return NUMBER.format(value);
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${SHORT_NUMBER.format(value)} ${units[unit]}`;
}

/** @param {number} seconds */
export function exposureTime(seconds) {
  return seconds > 0 && seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${SHORT_NUMBER.format(seconds)} s`;
}

/**
 * @param {number} latitude degrees, north positive
 * @param {number} longitude degrees, east positive
 */
export function position(latitude, longitude) {
  const [north, east] = [Math.abs(latitude).toFixed(4), Math.abs(longitude).toFixed(4)];
  return `${north}° ${latitude < 0 ? "S" : "N"}, ${east}° ${longitude < 0 ? "W" : "E"}`;
}
