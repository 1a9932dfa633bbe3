/** Puts the page together: what is looked at, and who tells whom. */

import { health } from "./api.js";
import { Collection } from "./collection.js";
import { Deletions } from "./deletions.js";
import { byId } from "./dom.js";
import * as files from "./files.js";
import * as filters from "./filters.js";
import * as format from "./format.js";
import { Grid } from "./grid.js";
import * as route from "./route.js";
import * as signIn from "./sign-in.js";
import * as toast from "./toast.js";
import { UploadPanel } from "./upload-panel.js";
import { Uploads } from "./uploads.js";
import { Viewer } from "./viewer.js";

/** @import { Removal } from "./deletions.js" */

/** While many come in, the gallery follows at this pace. */
const NEW_PICTURES_MILLISECONDS = 1500;
/** Above this the top of the gallery counts as in sight. */
const TOP_PIXELS = 200;
const MESSAGES = ["sign-in", "empty", "nothing", "failure"];

const grid = new Grid(byId("grid", HTMLElement), byId("here", HTMLElement));
const viewer = new Viewer();
const deletions = new Deletions();
const uploads = new Uploads();
const total = byId("total", HTMLElement);
const showNew = byId("show-new", HTMLButtonElement);
/** @type {Collection|null} */
let collection = null;
let freshness = 0;

/** Load the list that the address asks for, from its beginning. */
async function load() {
  const opened = new Collection(route.query(), deletions.hidden);
  collection = opened;
  showNew.hidden = true;
  try {
    await opened.open();
  } catch (problem) {
    if (collection === opened) fail(problem);
    return;
  }
  if (collection !== opened) return;
  opened.addEventListener("extended", () => viewer.refresh());
  opened.addEventListener("failed", (event) => failedLater(/** @type {CustomEvent} */ (event).detail));
  viewer.collection = opened;
  grid.show(opened);
  tell();
  viewer.refresh();
  opened.countAll().then(tell, () => undefined);
}

/** Say how many there are, or why there are none. */
function tell() {
  if (!collection) return;
  const none = collection.frames.length === 0 && collection.complete;
  message(none ? (filters.active() ? "nothing" : "empty") : null);
  if (none && !filters.active()) sayLimits().catch(() => undefined);
  if (collection.total) total.textContent = format.count(collection.total);
  grid.render();
}

/** @param {string|null} id of the message to show instead of the gallery */
function message(id) {
  for (const each of MESSAGES) byId(each, HTMLElement).hidden = each !== id;
  document.body.classList.toggle("signed-out", id === "sign-in");
  byId("grid", HTMLElement).hidden = id !== null;
  if (id !== null) total.textContent = "";
}

/** @param {unknown} problem */
function fail(problem) {
  if (signIn.needed(problem, { reading: true })) return askForKey(problem);
  byId("failure-text", HTMLElement).textContent = messageOf(problem);
  message("failure");
}

/** @param {unknown} problem */
function failedLater(problem) {
  if (signIn.needed(problem, { reading: true })) askForKey(problem);
  else toast.say(messageOf(problem), { label: "Try again", run: () => grid.render() });
}

/** @param {unknown} problem */
function askForKey(problem) {
  if (viewer.open) route.leaveImage();
  message("sign-in");
  signIn.ask(problem);
}

/** @param {unknown} problem */
function messageOf(problem) {
  return problem instanceof Error ? problem.message : String(problem);
}

/** @param {number} index */
function remove(index) {
  if (!collection?.frames[index]) return;
  const frame = collection.remove(index);
  deletions.add({ frame, index });
  grid.layOut();
  tell();
  const number = deletions.waiting;
  toast.say(number === 1 ? "Deleted." : `${format.count(number)} pictures deleted.`, { label: "Undo", run: () => deletions.undo() });
}

/** @param {Removal[]} removals */
function bringBack(removals) {
  if (!collection) return;
  for (const { frame, index } of removals) if (collection.indexOf(frame.id) < 0) collection.restore(index, frame);
  grid.layOut();
  viewer.refresh();
  if (viewer.open) route.replaceImage(removals[removals.length - 1].frame.id);
  tell();
}

/** New pictures belong on top: shown at once where the top is in sight, offered otherwise. */
function pictureStored() {
  if (freshness) return;
  freshness = setTimeout(() => {
    freshness = 0;
    if (window.scrollY < TOP_PIXELS && !viewer.open) load();
    else showNew.hidden = false;
  }, NEW_PICTURES_MILLISECONDS);
}

function lookAtAddress() {
  const wanted = route.query().toString();
  if (collection?.query.toString() !== wanted) {
    filters.show();
    window.scrollTo({ top: 0 });
    load();
  }
  viewer.show(route.image());
}

/** Tickets and pictures are signed for the public address; a browser may post to them from there only. */
function atPublicAddress() {
  const address = document.querySelector("meta[name=public-url]")?.getAttribute("content") ?? "";
  const wanted = new URL(address, location.href);
  const loopback = ["localhost", "127.0.0.1", "[::1]"];
  if (wanted.origin === location.origin || ![wanted, location].every(({ hostname }) => loopback.includes(hostname))) return true;
  location.replace(`${address}/${location.hash}`);
  return false;
}

/** Where there is no picture yet, say what may be one. Nobody else needs to know, and it is one request less. */
async function sayLimits() {
  const place = byId("limits", HTMLElement);
  if (place.textContent) return;
  const { limits } = await health();
  place.textContent = `${limits.formats.join(", ")}; up to ${format.size(limits.max_bytes)} each.`;
}

/** @param {Event} event */
const detailOf = (event) => /** @type {CustomEvent} */ (event).detail;

function start() {
  filters.start();
  files.start((chosen) => uploads.add(chosen));
  signIn.start(load);
  new UploadPanel(uploads);
  uploads.addEventListener("stored", pictureStored);
  uploads.addEventListener("problem", (event) => { if (signIn.needed(detailOf(event))) askForKey(detailOf(event)); });
  grid.addEventListener("delete", (event) => remove(detailOf(event)));
  viewer.addEventListener("delete", (event) => remove(detailOf(event)));
  viewer.addEventListener("details", (event) => filters.offerCamera(detailOf(event).camera?.model));
  viewer.addEventListener("camera", (event) => { route.leaveImage(); filters.onlyCamera(detailOf(event)); });
  viewer.addEventListener("left", (event) => { toast.follow(); if (detailOf(event) >= 0) grid.focus(detailOf(event)); });
  deletions.addEventListener("undone", (event) => bringBack(detailOf(event).removals));
  deletions.addEventListener("refused", (event) => { bringBack(detailOf(event).removals); toast.say(messageOf(detailOf(event).problem)); });
  window.addEventListener("hashchange", lookAtAddress);
  showNew.addEventListener("click", () => { window.scrollTo({ top: 0 }); load(); });
  byId("try-again", HTMLButtonElement).addEventListener("click", load);
  byId("show-all", HTMLButtonElement).addEventListener("click", filters.clear);
  byId("show-help", HTMLButtonElement).addEventListener("click", () => byId("help", HTMLDialogElement).showModal());
  lookAtAddress();
}

if (atPublicAddress()) start();
