/**
 * The list as the page knows it. Of every image heard of it keeps a few numbers; of those near what is looked at, the rest,
 * which includes signed URLs: long, and good for a while only. A page let go is asked for again by its own cursor.
 */

import { listImages } from "./api.js";
import { retrying } from "./retry.js";

/** @import { Frame, Item, Page } from "./types.js" */

const FIRST_LIMIT = 100;
const LIMIT = 200;
const PAGES_KEPT = 20;
/** Signed URLs are good for at least an hour. */
const STALE_MILLISECONDS = 45 * 60 * 1000;
/** How soon the same page may be asked for again because a picture did not load. */
const PATIENCE_MILLISECONDS = 60 * 1000;
/** A thumbnail is as wide as it is; a row should not be taken up by one panorama. */
const [NARROWEST, WIDEST] = [0.45, 3.2];

/** Raises `extended` when frames were added, `items` when let-go pages are back, `failed` (a CustomEvent) when loading failed. */
export class Collection extends EventTarget {
  /** @type {Frame[]} */ frames = [];
  /** @type {number|null} how many there are in all, once known */ total = null;
  complete = false;

  /** @type {(string|null)[]} */ #cursors = [null];
  /** @type {Map<number, {items: Map<number, Item>, at: number}>} by page, the one used last at the end */ #pages = new Map();
  /** @type {Set<number>} */ #reviving = new Set();
  #wanted = 0;
  #filling = false;

  /**
   * @param {URLSearchParams} query filters and sort, by the API's names
   * @param {ReadonlySet<number>} hidden ids that are not to be shown
   */
  constructor(query, hidden) {
    super();
    this.query = query;
    this.hidden = hidden;
  }

  /** The first page; rejected with the `ApiError` where it cannot be had. */
  async open() {
    this.#append(await retrying(() => listImages(this.query, { limit: FIRST_LIMIT }), { tries: 3 }));
  }

  /** Ask for the exact number of images, which costs the server more than a page. */
  async countAll() {
    if (this.complete) {
      this.total = this.frames.length;
    } else {
      this.total = (await listImages(this.query, { limit: 1, total: true })).total ?? null;
    }
  }

  /** Go on loading, in the background, until `wanted` frames are there or all. @param {number} wanted */
  async fill(wanted) {
    this.#wanted = Math.max(this.#wanted, wanted);
    if (this.#filling || this.complete) return;
    this.#filling = true;
    try {
      while (this.frames.length < this.#wanted && !this.complete) {
        const cursor = this.#cursors[this.#cursors.length - 1];
        this.#append(await retrying(() => listImages(this.query, { limit: LIMIT, cursor })));
        this.dispatchEvent(new Event("extended"));
      }
    } catch (problem) {
      this.#wanted = 0;
      this.dispatchEvent(new CustomEvent("failed", { detail: problem }));
    } finally {
      this.#filling = false;
    }
  }

  /** What is wanted no longer reaches as far. @param {number} wanted */
  relax(wanted) {
    this.#wanted = Math.min(this.#wanted, wanted);
  }

  /** The item, or undefined: then it is on its way, and `items` tells when it has come. @param {Frame} frame */
  item(frame) {
    const page = this.#pages.get(frame.page);
    if (!page || Date.now() - page.at > STALE_MILLISECONDS) this.#revive(frame.page);
    if (!page) return undefined;
    this.#pages.delete(frame.page);
    this.#pages.set(frame.page, page);
    return page.items.get(frame.id);
  }

  /** A picture did not load: its signature may have run out. @param {Frame} frame */
  distrust(frame) {
    const page = this.#pages.get(frame.page);
    if (page && Date.now() - page.at > PATIENCE_MILLISECONDS) this.#revive(frame.page);
  }

  /** @param {number} id @returns {number} its place, or -1 */
  indexOf(id) {
    return this.frames.findIndex((frame) => frame.id === id);
  }

  /** @param {number} index @returns {Frame} */
  remove(index) {
    if (this.total !== null) this.total -= 1;
    return this.frames.splice(index, 1)[0];
  }

  /** @param {number} index where it was @param {Frame} frame */
  restore(index, frame) {
    if (this.total !== null) this.total += 1;
    this.frames.splice(index, 0, frame);
  }

  /** @param {Page} page */
  #append(page) {
    const number = this.#cursors.length - 1;
    for (const item of page.images) {
      if (!this.hidden.has(item.id)) this.frames.push(this.#frame(item, number));
    }
    this.#keep(number, page.images);
    this.complete = page.next_cursor === null;
    if (!this.complete) this.#cursors.push(page.next_cursor);
  }

  /** @param {Item} item @param {number} page @returns {Frame} */
  #frame(item, page) {
    const aspect = Math.min(Math.max(item.width / item.height, NARROWEST), WIDEST);
    const day = dayOf(item, this.query.get("sort") ?? "");
    const before = this.frames[this.frames.length - 1];
    // One string for all images of a day, not one each.
    return { id: item.id, aspect, day: before?.day === day ? before.day : day, page };
  }

  /** @param {number} number @param {Item[]} images */
  #keep(number, images) {
    this.#pages.delete(number);
    this.#pages.set(number, { items: new Map(images.map((item) => [item.id, item])), at: Date.now() });
    while (this.#pages.size > PAGES_KEPT) {
      for (const [oldest] of this.#pages) {
        this.#pages.delete(oldest);
        break;
      }
    }
  }

  /** @param {number} number */
  async #revive(number) {
    if (this.#reviving.has(number)) return;
    this.#reviving.add(number);
    try {
      const limit = number === 0 ? FIRST_LIMIT : LIMIT;
      this.#keep(number, (await retrying(() => listImages(this.query, { limit, cursor: this.#cursors[number] }))).images);
      this.dispatchEvent(new Event("items"));
    } catch (problem) {
      this.dispatchEvent(new CustomEvent("failed", { detail: problem }));
    } finally {
      this.#reviving.delete(number);
    }
  }
}

/**
 * The day an image is shown under, in step with the order of the list: where a capture time is missing the list takes the
 * upload's, in UTC; a list by upload may use the zone of whoever looks.
 * @param {Item} item
 * @param {string} sort
 */
function dayOf(item, sort) {
  if (sort.endsWith("taken_at")) return (item.taken_at ?? item.uploaded_at).slice(0, 10);
  if (!sort.endsWith("uploaded_at")) return "";
  const time = new Date(item.uploaded_at);
  return [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
