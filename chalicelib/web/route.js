/**
 * What is looked at, kept in the address behind the `#`: an image's id, filters and sort. So that back, reload and bookmarks
 * do what they do everywhere.
 */

/** The filters and the sort that the page offers, by the API's names. */
const PARAMETERS = ["sort", "name", "taken_after", "taken_before", "camera_model", "has_location"];
export const DEFAULT_SORT = "-taken_at";

/** @returns {URLSearchParams} a query for the list, `sort` always included */
export function query() {
  const found = new URLSearchParams();
  const given = parameters();
  for (const name of PARAMETERS) {
    const value = given.get(name);
    if (value) found.set(name, value);
  }
  if (!found.has("sort")) found.set("sort", DEFAULT_SORT);
  return found;
}

/** @returns {number|null} the image that is to be shown large */
export function image() {
  const id = Number(parameters().get("image"));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

/** @param {number} id @returns {string} an address of the image that keeps the filters */
export function imageLink(id) {
  return hash(query(), id);
}

/** Look at an image, in the place of the one looked at. @param {number} id */
export function replaceImage(id) {
  move(hash(query(), id), true);
}

/** Back from an image to the gallery. */
export function leaveImage() {
  move(hash(query(), null), false);
}

/** @param {URLSearchParams} wanted */
export function setQuery(wanted) {
  move(hash(wanted, image()), true);
}

/** @param {string} to @param {boolean} replace */
function move(to, replace) {
  if (to === (location.hash || "#")) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** @returns {URLSearchParams} */
function parameters() {
  return new URLSearchParams(location.hash.slice(1));
}

/** @param {URLSearchParams} wanted @param {number|null} id */
function hash(wanted, id) {
  const shown = new URLSearchParams(id === null ? {} : { image: String(id) });
  for (const [name, value] of wanted) if (name !== "sort" || value !== DEFAULT_SORT) shown.append(name, value);
  return `#${shown}`;
}
