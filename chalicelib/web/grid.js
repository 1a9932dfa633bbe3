/**
 * The gallery: of all rows only those in sight and about are in the document, and their elements are used again.
 *
 * Written out: the lists that libraries keep in sight have rows of one height or measure each row, and here a layout knows
 * all of them, for a hundred thousand pictures, before any is drawn.
 */

import { element, oncePerFrame } from "./dom.js";
import { count, dayName, monthName } from "./format.js";
import { GAP, Layout } from "./layout.js";
import { Tile } from "./tile.js";

/** @import { Collection } from "./collection.js" */
/** @import { Row } from "./layout.js" */
/** @import { Frame } from "./types.js" */

/** How many heights of the window are kept ready above and below it. */
const AHEAD = 1;
/** How many heights of the window further down the list is loaded. */
const LOAD_AHEAD = 3;
/** Moving faster than so many heights of the window from frame to frame, pictures wait until the movement has ended. */
const HURRY = 0.8;
const CALM_MILLISECONDS = 120;
const SPARE_TILES = 200;
/** From here on it is worth saying where one is. */
const FAR = 400;
/** How far below the top of the window the gallery comes into sight, about. */
const UNDER_BAR = 120;

/** @typedef {{row: Row, element: HTMLElement, tiles: Tile[]}} Shown */

/** Raises `delete` (a CustomEvent with the frame's index) when a tile has the focus and Delete is pressed. */
export class Grid extends EventTarget {
  /** @type {Collection|null} */ #collection = null;
  #layout = new Layout(0, 1);
  /** @type {Map<number, Shown>} by number of the row */ #shown = new Map();
  /** @type {Tile[]} */ #spare = [];
  #active = 0;
  #lastTop = 0;
  #calm = 0;
  #schedule = oncePerFrame(() => this.render());

  /** @param {HTMLElement} root @param {HTMLElement} here says which month is in sight while scrolling */
  constructor(root, here) {
    super();
    this.root = root;
    this.here = here;
    window.addEventListener("scroll", this.#schedule, { passive: true });
    new ResizeObserver(() => this.#resized()).observe(root);
    root.addEventListener("keydown", (event) => this.#keyPressed(event));
    root.addEventListener("focusin", (event) => this.#focusMoved(event));
  }

  /** Show another collection, from its top unless told otherwise. @param {Collection} collection */
  show(collection) {
    this.#collection = collection;
    this.#active = Math.min(this.#active, Math.max(collection.frames.length - 1, 0));
    collection.addEventListener("extended", () => this.#extended(collection));
    collection.addEventListener("items", () => this.#fillTiles());
    this.layOut();
  }

  /** Everything anew: the width, or frames already shown, have changed. */
  layOut() {
    const hadFocus = this.root.contains(document.activeElement);
    const width = this.root.clientWidth;
    this.#layout = new Layout(width, width < 600 ? 118 : 186);
    this.#layout.extend(this.#collection?.frames ?? []);
    this.#discard(0);
    this.render();
    if (hadFocus) this.focus(this.#active);
  }

  /** Bring a frame into sight and give it the focus. @param {number} index */
  focus(index) {
    const frames = this.#collection?.frames ?? [];
    if (!frames.length) return;
    this.#active = Math.min(Math.max(index, 0), frames.length - 1);
    const number = this.#layout.rowOf(this.#active);
    this.#scrollTo(this.#layout.rows[number]);
    this.render();
    const shown = this.#shown.get(number);
    shown?.tiles[this.#active - shown.row.start]?.link.focus({ preventScroll: true });
  }

  /** Put into the document what is in sight, and take out what is not. */
  render() {
    const collection = this.#collection;
    if (!collection) return;
    const view = window.innerHeight;
    const top = window.scrollY - this.root.offsetTop;
    this.root.style.height = `${this.#fullHeight(collection)}px`;
    const first = this.#layout.rowAt(top - AHEAD * view);
    const last = this.#layout.rowAt(top + (1 + AHEAD) * view);
    const focused = this.#focusedRow();
    for (const [number, shown] of this.#shown) {
      if ((number < first || number > last) && number !== focused) this.#hide(number, shown);
    }
    for (let number = first; number <= last && number < this.#layout.rows.length; number += 1) this.#show(number, collection);
    this.#fillWhenCalm(top, view);
    this.#loadAhead(collection, top + (1 + LOAD_AHEAD) * view);
    this.#sayWhere(top);
  }

  #resized() {
    if (this.root.clientWidth !== this.#layout.width) this.layOut();
  }

  /** @param {Collection} collection */
  #extended(collection) {
    if (collection !== this.#collection) return;
    this.#discard(this.#layout.extend(collection.frames));
    this.#schedule();
  }

  /** What is not laid out yet counts as high as the rest, so that the scroll bar tells the truth. @param {Collection} collection */
  #fullHeight(collection) {
    const known = collection.frames.length;
    const unknown = collection.complete || collection.total === null ? 0 : Math.max(collection.total - known, 0);
    return this.#layout.height + (known ? (this.#layout.height / known) * unknown : 0);
  }

  /** @param {Collection} collection @param {number} bottom pixels down to which frames are wanted */
  #loadAhead(collection, bottom) {
    const known = collection.frames.length;
    const height = this.#layout.height;
    const wanted = bottom <= height ? 0 : known + 1 + Math.ceil(((bottom - height) / Math.max(height, 1)) * known);
    collection.relax(wanted);
    if (wanted) collection.fill(wanted);
  }

  /** @param {number} number of the first row to take out */
  #discard(number) {
    for (const [each, shown] of this.#shown) if (each >= number) this.#hide(each, shown);
  }

  /** @param {number} number @param {Shown} shown */
  #hide(number, shown) {
    shown.element.remove();
    this.#shown.delete(number);
    for (const tile of shown.tiles) {
      tile.leave();
      if (this.#spare.length < SPARE_TILES) this.#spare.push(tile);
    }
  }

  /** @param {number} number @param {Collection} collection */
  #show(number, collection) {
    if (this.#shown.has(number)) return;
    const row = this.#layout.rows[number];
    const made = element("div", { className: "row" });
    made.style.transform = `translateY(${row.top}px)`;
    for (const section of row.sections) made.append(heading(section, row, collection.frames));
    const tiles = this.#layout.places(row, collection.frames).map((place) => {
      const tile = this.#spare.pop() ?? new Tile((frame) => this.#collection?.distrust(frame));
      tile.stand(collection.frames[place.index], row, place);
      tile.link.tabIndex = place.index === this.#active ? 0 : -1;
      made.append(tile.link);
      return tile;
    });
    this.#insert(number, made);
    this.#shown.set(number, { row, element: made, tiles });
  }

  /** In the document, rows stand in the order in which they are seen. @param {number} number @param {HTMLElement} made */
  #insert(number, made) {
    let next = Infinity;
    for (const each of this.#shown.keys()) if (each > number && each < next) next = each;
    this.root.insertBefore(made, this.#shown.get(next)?.element ?? null);
  }

  /** @param {number} top @param {number} view pixels */
  #fillWhenCalm(top, view) {
    const hurried = Math.abs(top - this.#lastTop) > HURRY * view;
    this.#lastTop = top;
    clearTimeout(this.#calm);
    if (hurried) this.#calm = setTimeout(() => this.#fillTiles(), CALM_MILLISECONDS);
    else this.#fillTiles();
  }

  #fillTiles() {
    for (const { tiles } of this.#shown.values()) {
      for (const tile of tiles) {
        const item = tile.frame && this.#collection?.item(tile.frame);
        if (item) tile.fill(item);
      }
    }
  }

  /** @param {number} top pixels */
  #sayWhere(top) {
    const { frames, total, complete } = this.#collection ?? { frames: [], total: null, complete: true };
    const frame = frames[this.#layout.rows[this.#layout.rowAt(top + UNDER_BAR)]?.start];
    let where = frame?.day ? monthName(frame.day) : "";
    if (!complete && top > this.#layout.height) where = `Loading ${count(frames.length)} of ${count(total ?? frames.length)}…`;
    this.here.textContent = where;
    this.here.classList.toggle("shown", top > FAR && where !== "");
  }

  /** @returns {number|null} */
  #focusedRow() {
    return this.root.contains(document.activeElement) ? this.#layout.rowOf(this.#active) : null;
  }

  /** @param {FocusEvent} event */
  #focusMoved(event) {
    for (const { row, tiles } of this.#shown.values()) {
      tiles.forEach((tile, offset) => {
        const focused = tile.link === event.target;
        tile.link.tabIndex = focused ? 0 : -1;
        if (focused) this.#active = row.start + offset;
      });
    }
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Delete") {
      this.dispatchEvent(new CustomEvent("delete", { detail: this.#active }));
      return;
    }
    const target = this.#target(event.key);
    if (target === null) return;
    event.preventDefault();
    this.focus(target);
  }

  /** @param {string} key @returns {number|null} the index that it leads to */
  #target(key) {
    const frames = this.#collection?.frames ?? [];
    if (key === "ArrowLeft") return this.#active - 1;
    if (key === "ArrowRight") return this.#active + 1;
    if (key === "ArrowUp") return this.#layout.beside(this.#active, -1, frames);
    if (key === "ArrowDown") return this.#layout.beside(this.#active, 1, frames);
    if (key === "Home") return 0;
    if (key === "End") return frames.length - 1;
    return null;
  }

  /** @param {Row|undefined} row */
  #scrollTo(row) {
    if (!row) return;
    const bar = this.root.offsetTop;
    const [top, bottom] = [row.top + bar, row.bottom + bar];
    const covered = document.querySelector("header.bar")?.clientHeight ?? 0;
    if (top < window.scrollY + covered) window.scrollTo({ top: top - covered - GAP, behavior: "instant" });
    else if (bottom > window.scrollY + window.innerHeight) window.scrollTo({ top: bottom - window.innerHeight + GAP, behavior: "instant" });
  }
}

/** @param {import("./layout.js").Section} section @param {Row} row @param {readonly Frame[]} frames */
function heading(section, row, frames) {
  const made = element("h2", { className: "day", textContent: dayName(frames[section.index].day) });
  made.style.left = `${section.x}px`;
  made.style.width = `${section.width}px`;
  made.style.top = `${row.tiles - 30}px`;
  return made;
}
