/** The large view: one image, what is known of it, and the way to its neighbours. */

import { ApiError, imageDetails } from "./api.js";
import { describe } from "./details.js";
import { byId } from "./dom.js";
import { retrying } from "./retry.js";
import * as route from "./route.js";

/** @import { Collection } from "./collection.js" */
/** @import { Details } from "./types.js" */

const LARGE = "1280";
/** Details hold signed URLs; within this time they are good. */
const FRESH_MILLISECONDS = 30 * 60 * 1000;
const DETAILS_KEPT = 30;
const SWIPE_PIXELS = 50;

/**
 * Raises CustomEvents: `delete` and `left` with the frame's index (-1 where it is in no list), `details` with what was learned,
 * `camera` with the model that was pressed.
 */
export class Viewer extends EventTarget {
  /** @type {Collection|null} */ collection = null;
  #dialog = byId("viewer", HTMLDialogElement);
  #preview = byId("viewer-preview", HTMLImageElement);
  #image = byId("viewer-image", HTMLImageElement);
  #problem = byId("viewer-problem", HTMLElement);
  #name = byId("viewer-name", HTMLElement);
  #facts = byId("viewer-facts", HTMLElement);
  #download = byId("viewer-download", HTMLAnchorElement);
  #delete = byId("viewer-delete", HTMLButtonElement);
  #info = byId("viewer-info", HTMLButtonElement);
  #previous = byId("viewer-previous", HTMLButtonElement);
  #next = byId("viewer-next", HTMLButtonElement);
  /** @type {Map<number, {details: Promise<Details>, at: number}>} */ #known = new Map();
  /** @type {number|null} */ #id = null;
  #touchX = 0;

  constructor() {
    super();
    byId("viewer-close", HTMLButtonElement).addEventListener("click", () => route.leaveImage());
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      route.leaveImage();
    });
    this.#dialog.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#previous.addEventListener("click", () => this.#step(-1));
    this.#next.addEventListener("click", () => this.#step(1));
    this.#delete.addEventListener("click", () => this.#deleteShown());
    this.#info.addEventListener("click", () => this.#toggleDetails());
    this.#image.addEventListener("load", () => this.#image.classList.add("there"));
    this.#image.addEventListener("error", () => this.#failedToLoad());
    this.#dialog.addEventListener("touchstart", (event) => { this.#touchX = event.touches[0].clientX; }, { passive: true });
    this.#dialog.addEventListener("touchend", (event) => this.#touched(event), { passive: true });
  }

  get open() {
    return this.#dialog.open;
  }

  /** Show the image with this id, or with null none. @param {number|null} id */
  show(id) {
    if (id === null) return this.#close();
    if (id === this.#id && this.open) return;
    this.#id = id;
    if (!this.open) this.#dialog.showModal();
    this.#clear(id);
    this.#markNeighbours();
    this.#load(id);
  }

  /** The collection around the image has changed. */
  refresh() {
    if (this.open) this.#markNeighbours();
  }

  #close() {
    if (!this.open) return;
    const index = this.#index();
    this.#id = null;
    this.#dialog.close();
    this.#image.removeAttribute("src");
    this.dispatchEvent(new CustomEvent("left", { detail: index }));
  }

  /** @param {number} id */
  #clear(id) {
    const frame = this.collection?.frames[this.#index()];
    const item = frame && this.collection?.item(frame);
    this.#problem.textContent = "";
    this.#image.classList.remove("there");
    this.#image.removeAttribute("src");
    this.#image.alt = "";
    this.#name.textContent = item?.name ?? `Image ${id}`;
    this.#facts.replaceChildren();
    this.#download.removeAttribute("href");
    if (item) {
      this.#preview.src = item.thumbnail_url;
      this.#size(item.width, item.height);
    } else {
      this.#preview.removeAttribute("src");
    }
  }

  /** @param {number} id */
  async #load(id) {
    try {
      const details = await this.#details(id);
      if (id === this.#id) this.#fill(details);
    } catch (problem) {
      if (id === this.#id) this.#problem.textContent = problem instanceof ApiError ? problem.message : String(problem);
    }
  }

  /** @param {Details} details */
  #fill(details) {
    this.#name.textContent = details.name;
    this.#size(details.width, details.height);
    this.#image.src = details.thumbnails[LARGE];
    this.#image.alt = details.name;
    // Of another origin, as the store is on AWS, a browser saves only what is served to be saved.
    this.#download.href = details.download_url;
    this.#download.download = details.name;
    this.#facts.replaceChildren(...describe(details, (model) => this.dispatchEvent(new CustomEvent("camera", { detail: model }))));
    this.dispatchEvent(new CustomEvent("details", { detail: details }));
    this.#prepare(this.#index() + 1);
    this.#prepare(this.#index() - 1);
  }

  /** Preview and picture take up the same place from the start. @param {number} width @param {number} height pixels */
  #size(width, height) {
    const scale = Math.min(1, Number(LARGE) / Math.max(width, height));
    for (const image of [this.#preview, this.#image]) {
      image.style.setProperty("--width", String(Math.round(width * scale)));
      image.style.setProperty("--height", String(Math.round(height * scale)));
    }
  }

  /** Have a neighbour ready before it is asked for. @param {number} index */
  async #prepare(index) {
    const frame = this.collection?.frames[index];
    if (!frame) return;
    try {
      new Image().src = (await this.#details(frame.id)).thumbnails[LARGE];
    } catch {
      // It will be said when it is looked at.
    }
  }

  /** @param {number} id @returns {Promise<Details>} */
  #details(id) {
    const known = this.#known.get(id);
    if (known && Date.now() - known.at < FRESH_MILLISECONDS) return known.details;
    const details = retrying(() => imageDetails(id), { tries: 3 });
    details.catch(() => this.#known.delete(id));
    this.#known.set(id, { details, at: Date.now() });
    if (this.#known.size > DETAILS_KEPT) this.#known.delete(this.#known.keys().next().value ?? id);
    return details;
  }

  #failedToLoad() {
    if (this.#id !== null && this.#image.hasAttribute("src")) this.#problem.textContent = "The picture cannot be loaded.";
  }

  #index() {
    return this.#id === null || !this.collection ? -1 : this.collection.indexOf(this.#id);
  }

  #markNeighbours() {
    const index = this.#index();
    const frames = this.collection?.frames ?? [];
    this.#previous.disabled = index <= 0;
    this.#next.disabled = index < 0 || index >= frames.length - 1;
    if (index >= frames.length - 20) this.collection?.fill(frames.length + 1);
  }

  /** @param {number} by */
  #step(by) {
    const frame = this.#index() < 0 ? undefined : this.collection?.frames[this.#index() + by];
    if (frame) route.replaceImage(frame.id);
  }

  #deleteShown() {
    const index = this.#index();
    if (index < 0 || !this.collection) return;
    const next = this.collection.frames[index + 1] ?? this.collection.frames[index - 1];
    this.dispatchEvent(new CustomEvent("delete", { detail: index }));
    if (next) route.replaceImage(next.id);
    else route.leaveImage();
  }

  #toggleDetails() {
    const hidden = this.#dialog.classList.toggle("without-details");
    this.#info.setAttribute("aria-expanded", String(!hidden));
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") this.#step(-1);
    else if (event.key === "ArrowRight") this.#step(1);
    else if (event.key === "Delete") this.#deleteShown();
    else if (event.key === "i") this.#toggleDetails();
  }

  /** @param {TouchEvent} event */
  #touched(event) {
    const moved = event.changedTouches[0].clientX - this.#touchX;
    if (Math.abs(moved) > SWIPE_PIXELS) this.#step(moved > 0 ? -1 : 1);
  }
}
