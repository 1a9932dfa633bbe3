/** One picture in the gallery: a link with an image in it, for one frame after another. */

import { element } from "./dom.js";
import { moment, wallClock } from "./format.js";
import { imageLink } from "./route.js";

/** @import { Row } from "./layout.js" */
/** @import { Frame, Item } from "./types.js" */

export class Tile {
  /** @type {Frame|null} */ frame = null;
  #image = element("img", { alt: "", decoding: "async", draggable: false });
  link = element("a", { className: "tile", draggable: false }, this.#image);

  /** @param {(frame: Frame) => void} failed called when the picture could not be loaded */
  constructor(failed) {
    this.#image.addEventListener("load", () => this.#image.classList.add("there"));
    this.#image.addEventListener("error", () => { if (this.frame) failed(this.frame); });
  }

  /** @param {Frame} frame @param {Row} row @param {{x: number, width: number}} place */
  stand(frame, row, { x, width }) {
    this.frame = frame;
    Object.assign(this.link.style, { left: `${x}px`, top: `${row.tiles}px`, width: `${width}px`, height: `${row.height}px` });
    this.link.href = imageLink(frame.id);
    this.link.setAttribute("aria-label", "A picture");
  }

  /** @param {Item} item */
  fill(item) {
    // A page asked for again may bring the same picture under a newer signature.
    if (this.#image.getAttribute("src") !== item.thumbnail_url) this.#image.src = item.thumbnail_url;
    // What the browser still has is there at once, without fading in.
    if (this.#image.complete && this.#image.naturalWidth) this.#image.classList.add("there");
    const time = item.taken_at ? `taken ${wallClock(item.taken_at)}` : `uploaded ${moment(item.uploaded_at)}`;
    this.link.setAttribute("aria-label", `${item.name}, ${time}`);
    this.link.title = item.name;
  }

  /** Out of the document, and ready for another frame. */
  leave() {
    // Without its address the picture stops loading, if it still was.
    this.#image.removeAttribute("src");
    this.#image.classList.remove("there");
    this.link.removeAttribute("title");
    this.link.remove();
    this.frame = null;
  }
}
