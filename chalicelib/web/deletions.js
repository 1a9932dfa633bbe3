/** Deleting with a moment to think better of it: the picture goes from sight at once, the request only after that moment. */

import { ApiError, deleteImage } from "./api.js";

/** @import { Frame } from "./types.js" */

const MOMENT_MILLISECONDS = 7000;

/** @typedef {{frame: Frame, index: number}} Removal a frame taken out of the list, and where it was */

/** Raises `undone` and `refused`, CustomEvents whose detail holds `removals`, last first, and for the latter `problem`. */
export class Deletions extends EventTarget {
  /** Ids that must not be shown: deleted, or about to be. @type {Set<number>} */ hidden = new Set();
  /** @type {Removal[]} */ #waiting = [];
  #timer = 0;

  constructor() {
    super();
    // Who leaves has made up their mind.
    window.addEventListener("pagehide", () => this.send());
  }

  /** How many can still be undone. */
  get waiting() {
    return this.#waiting.length;
  }

  /** @param {Removal} removal */
  add(removal) {
    this.hidden.add(removal.frame.id);
    this.#waiting.push(removal);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(), MOMENT_MILLISECONDS);
  }

  /** Take back every deletion that has not been sent. */
  undo() {
    clearTimeout(this.#timer);
    this.#bringBack("undone", this.#waiting.splice(0), null);
  }

  /** Now in earnest. */
  async send() {
    clearTimeout(this.#timer);
    await Promise.all(this.#waiting.splice(0).map((removal) => this.#delete(removal)));
  }

  /** @param {Removal} removal */
  async #delete(removal) {
    try {
      await deleteImage(removal.frame.id, { keepalive: true });
    } catch (problem) {
      // Somebody else was faster: it is as gone as it was to be.
      if (problem instanceof ApiError && problem.status === 404) return;
      this.#bringBack("refused", [removal], problem);
    }
  }

  /** @param {string} event @param {Removal[]} removals @param {unknown} problem */
  #bringBack(event, removals, problem) {
    for (const { frame } of removals) this.hidden.delete(frame.id);
    this.dispatchEvent(new CustomEvent(event, { detail: { removals: removals.reverse(), problem } }));
  }
}
