/**
 * Where each frame goes: rows of one height each, filled from edge to edge, a heading over each day. A day that does not
 * fill a row shares it with the next ones. Pure arithmetic; the document is not touched.
 */

/** @import { Frame } from "./types.js" */

/**
 * @typedef {object} Section
 * @property {number} index of the frame that it begins with
 * @property {number} x pixels from the left
 * @property {number} width
 *
 * @typedef {object} Row
 * @property {number} start index of its first frame
 * @property {number} end index behind its last
 * @property {number} top pixels, of the headings where it has any
 * @property {number} tiles pixels from `top` to where the pictures begin
 * @property {number} height of the pictures
 * @property {number} bottom where the next row begins
 * @property {Section[]} sections the days that begin in it
 */

export const GAP = 6;
const SECTION_GAP = 24;
const HEADING = 34;
const ABOVE_HEADING = 20;
const NARROWEST_SECTION = 128;

export class Layout {
  /** @type {Row[]} */ rows = [];

  /** @param {number} width pixels @param {number} target pixels that a row should be high */
  constructor(width, target) {
    this.width = width;
    this.target = target;
  }

  get height() {
    return this.rows.length ? this.rows[this.rows.length - 1].bottom : 0;
  }

  /**
   * Take in the frames behind those already laid out.
   * @param {readonly Frame[]} frames all of them
   * @returns {number} the first row that is new or changed
   */
  extend(frames) {
    // The last row may have ended only because the frames did. Every other one is settled by what is in it.
    const last = this.rows.pop();
    const changed = this.rows.length;
    let start = last?.start ?? 0;
    while (start < frames.length) {
      const row = this.#row(frames, start, this.height);
      this.rows.push(row);
      start = row.end;
    }
    return changed;
  }

  /** The row at a height. @param {number} y pixels @returns {number} its number; the nearest where there is none */
  rowAt(y) {
    return this.#last((row) => row.top <= y);
  }

  /** @param {number} index of a frame @returns {number} the number of its row */
  rowOf(index) {
    return this.#last((row) => row.start <= index);
  }

  /**
   * The frames of a row with their places.
   * @param {Row} row
   * @param {readonly Frame[]} frames
   * @returns {{index: number, x: number, width: number}[]}
   */
  places(row, frames) {
    let x = 0;
    const places = [];
    for (let index = row.start; index < row.end; index += 1) {
      const section = row.sections.find((each) => each.index === index);
      if (section) x = section.x;
      const width = frames[index].aspect * row.height;
      places.push({ index, x, width });
      x += width + GAP;
    }
    return places;
  }

  /**
   * The frame nearest above or below another.
   * @param {number} index
   * @param {number} step rows to go, down positive
   * @param {readonly Frame[]} frames
   * @returns {number|null} its index; null where there is no such row
   */
  beside(index, step, frames) {
    const number = this.rowOf(index);
    const row = this.rows[number + step];
    if (!row) return null;
    const from = this.places(this.rows[number], frames).find((place) => place.index === index);
    const centre = from ? from.x + from.width / 2 : 0;
    const away = this.places(row, frames).map((place) => ({ index: place.index, far: Math.abs(place.x + place.width / 2 - centre) }));
    return away.reduce((best, each) => (each.far < best.far ? each : best)).index;
  }

  /** @param {(row: Row) => boolean} holds for the first rows and not for the later ones */
  #last(holds) {
    let [low, high] = [0, this.rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (holds(this.rows[middle])) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {readonly Frame[]} frames @param {number} start @param {number} top @returns {Row} */
  #row(frames, start, top) {
    const begins = frames[start].day !== "" && frames[start - 1]?.day !== frames[start].day;
    const { end, height, width } = this.#run(frames, start);
    const full = width >= this.width - 1;
    /** @type {Section[]} */
    const sections = begins ? [{ index: start, x: 0, width: full ? this.width : width }] : [];
    const last = begins && !full ? this.#share(frames, end, sections) : end;
    const tiles = begins ? HEADING + (start > 0 ? ABOVE_HEADING : 0) : 0;
    return { start, end: last, top, tiles, height, bottom: top + tiles + height + GAP, sections };
  }

  /**
   * As many frames of one day as fill a row, or all that are left of the day.
   * @param {readonly Frame[]} frames
   * @param {number} start
   */
  #run(frames, start) {
    let [end, aspects] = [start, 0];
    while (end < frames.length && frames[end].day === frames[start].day) {
      const before = this.#filled(end - start, aspects);
      aspects += frames[end].aspect;
      end += 1;
      const height = this.#filled(end - start, aspects);
      if (height > this.target) continue;
      // Full: with this one a little low, or without it a little high, whichever is nearer.
      if (before / this.target < this.target / height) return { end: end - 1, height: before, width: this.width };
      return { end, height, width: this.width };
    }
    return { end, height: this.target, width: aspects * this.target + (end - start - 1) * GAP };
  }

  /** @param {number} frames @param {number} aspects their sum @returns {number} the height at which they fill a row */
  #filled(frames, aspects) {
    return frames ? (this.width - (frames - 1) * GAP) / aspects : Infinity;
  }

  /**
   * Put the next days beside the first, as long as they fit whole; they are added to `sections`.
   * @param {readonly Frame[]} frames
   * @param {number} start the first frame of the next day
   * @param {Section[]} sections
   * @returns {number} the index behind the last frame taken
   */
  #share(frames, start, sections) {
    let end = start;
    while (end < frames.length) {
      const before = sections[sections.length - 1];
      before.width = Math.max(before.width, NARROWEST_SECTION);
      const x = before.x + before.width + SECTION_GAP;
      const run = this.#run(frames, end);
      if (x + Math.max(run.width, NARROWEST_SECTION) > this.width) break;
      sections.push({ index: end, x, width: run.width });
      end = run.end;
    }
    return end;
  }
}
