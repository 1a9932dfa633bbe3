/** The search field, the filters and the sort: between the form and the address. */

import { byId, element } from "./dom.js";
import * as route from "./route.js";

const TYPING_PAUSE_MILLISECONDS = 250;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

const form = byId("filters", HTMLFormElement);
const name = byId("name", HTMLInputElement);
const toggle = byId("toggle-filters", HTMLButtonElement);
let typing = 0;

export function start() {
  const soon = () => {
    clearTimeout(typing);
    typing = setTimeout(apply, TYPING_PAUSE_MILLISECONDS);
  };
  name.addEventListener("input", soon);
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
  });
  toggle.addEventListener("click", () => open(Boolean(form.hidden)));
  show();
  open(active() > 0);
}

/** Show everything, in the order chosen. */
export function clear() {
  const sort = route.query().get("sort") ?? route.DEFAULT_SORT;
  route.setQuery(new URLSearchParams({ sort }));
  show();
}

/** Show only what one camera took. @param {string} model */
export function onlyCamera(model) {
  const query = route.query();
  query.set("camera_model", model);
  route.setQuery(query);
  show();
  open(true);
}

/** A camera that is known to exist, to choose from. @param {string|null|undefined} model */
export function offerCamera(model) {
  const offered = byId("cameras", HTMLDataListElement);
  if (model && ![...offered.options].some(({ value }) => value === model)) offered.append(element("option", { value: model }));
}

/** Make the form say what the address says. */
export function show() {
  const query = route.query();
  name.value = query.get("name") ?? "";
  field("sort").value = query.get("sort") ?? route.DEFAULT_SORT;
  field("from").value = query.get("taken_after") ?? "";
  field("to").value = dayAfter(query.get("taken_before") ?? "", -1);
  field("camera_model").value = query.get("camera_model") ?? "";
  field("has_location").value = query.get("has_location") ?? "";
  mark();
}

/** Whether anything keeps images out of the list. */
export function active() {
  return [...route.query().keys()].filter((parameter) => parameter !== "sort").length;
}

/** @param {boolean} wanted */
function open(wanted) {
  form.hidden = !wanted;
  toggle.setAttribute("aria-expanded", String(wanted));
}

function apply() {
  const wanted = {
    sort: field("sort").value,
    name: name.value.trim(),
    taken_after: field("from").value,
    // The last day is meant to be in; the API's bound is not.
    taken_before: dayAfter(field("to").value, 1),
    camera_model: field("camera_model").value.trim(),
    has_location: field("has_location").value,
  };
  route.setQuery(new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)));
  mark();
}

function mark() {
  const badge = byId("filter-count", HTMLElement);
  const filters = active() - (route.query().has("name") ? 1 : 0);
  badge.hidden = filters === 0;
  badge.textContent = filters ? String(filters) : "";
}

/** @param {string} called @returns {HTMLInputElement|HTMLSelectElement} */
function field(called) {
  const found = form.elements.namedItem(called);
  if (found instanceof HTMLInputElement || found instanceof HTMLSelectElement) return found;
  throw new Error(`The form has no field ${called}.`);
}

/** @param {string} day `YYYY-MM-DD`, or empty @param {number} days @returns {string} */
function dayAfter(day, days) {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? "" : new Date(time + days * DAY_MILLISECONDS).toISOString().slice(0, 10);
}
