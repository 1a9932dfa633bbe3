/** The uploads as people see them: how far all of it is, and each file; of a long list only what is in sight. */

import { byId, element, oncePerFrame } from "./dom.js";
import * as format from "./format.js";
import { imageLink } from "./route.js";
import { ended } from "./uploads.js";

/** @import { Entry, State, Uploads } from "./uploads.js" */

/** The height of a line, as in the style sheet. */
const ROW = 68;

/** @type {Record<State, string>} */
const NAMES = {
  waiting: "Waiting", reading: "Reading", ready: "Waiting", sending: "Sending", processing: "Being looked at",
  stored: "Stored", duplicate: "Already here", rejected: "Refused", failed: "Failed",
};

export class UploadPanel {
  #root = byId("uploads", HTMLElement);
  #list = byId("uploads-list", HTMLElement);
  #body = byId("uploads-body", HTMLElement);
  #progress = byId("uploads-progress", HTMLProgressElement);
  #summary = byId("uploads-summary", HTMLElement);
  #outcome = byId("uploads-outcome", HTMLElement);
  #retry = byId("uploads-retry", HTMLButtonElement);
  #close = byId("uploads-close", HTMLButtonElement);
  #fold = byId("uploads-fold", HTMLButtonElement);
  #inside = element("div", { className: "upload-rows" });
  /** @type {Map<number, Line>} by place in the list */ #lines = new Map();

  /** @param {Uploads} uploads */
  constructor(uploads) {
    this.uploads = uploads;
    const render = oncePerFrame(() => this.#render());
    this.#list.append(this.#inside);
    this.#list.addEventListener("scroll", render, { passive: true });
    uploads.addEventListener("change", render);
    this.#retry.addEventListener("click", () => uploads.retryFailed());
    this.#close.addEventListener("click", () => uploads.clear());
    this.#fold.addEventListener("click", () => this.#toggle());
    window.addEventListener("beforeunload", (event) => { if (uploads.busy) event.preventDefault(); });
  }

  #toggle() {
    this.#body.hidden = !this.#body.hidden;
    this.#fold.setAttribute("aria-expanded", String(!this.#body.hidden));
    this.#fold.textContent = this.#body.hidden ? "Show list" : "Hide list";
    this.#render();
  }

  #render() {
    const { entries, busy } = this.uploads;
    this.#root.hidden = entries.length === 0;
    if (!entries.length) return;
    const bytes = total(entries, ({ file }) => file.size);
    const done = total(entries, ({ sent, file, state }) => (state === "failed" ? file.size : sent));
    this.#progress.max = Math.max(bytes, 1);
    this.#progress.value = done;
    this.#progress.hidden = !busy;
    const summary = this.#summarise(entries);
    this.#summary.textContent = summary;
    // Heard once, when all has ended: every step on the way would be too much.
    const outcome = busy ? "" : summary;
    if (this.#outcome.textContent !== outcome) this.#outcome.textContent = outcome;
    this.#close.disabled = busy;
    this.#retry.hidden = !entries.some(({ state }) => state === "failed");
    this.#renderList(entries);
  }

  /** @param {Entry[]} entries */
  #summarise(entries) {
    const left = entries.filter((entry) => !ended(entry)).length;
    const parts = left ? [`${format.count(entries.length - left)} of ${format.count(entries.length)} done`] : [];
    for (const [state, name] of [["stored", "stored"], ["duplicate", "already here"], ["rejected", "refused"], ["failed", "failed"]]) {
      const number = entries.filter((entry) => entry.state === state).length;
      if (number) parts.push(`${format.count(number)} ${name}`);
    }
    return parts.join(" · ");
  }

  /** @param {Entry[]} entries */
  #renderList(entries) {
    if (this.#body.hidden) return;
    this.#inside.style.height = `${entries.length * ROW}px`;
    const first = Math.max(Math.floor(this.#list.scrollTop / ROW) - 2, 0);
    const last = Math.min(first + Math.ceil(this.#list.clientHeight / ROW) + 4, entries.length);
    for (const [index, line] of this.#lines) {
      if (index >= first && index < last) continue;
      line.root.remove();
      this.#lines.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      let line = this.#lines.get(index);
      if (!line) {
        line = new Line(index);
        this.#lines.set(index, line);
        this.#inside.append(line.root);
      }
      line.show(entries[index]);
    }
  }
}

/** One file's line. */
class Line {
  #name = element("a", { className: "name" });
  #note = element("span", { className: "note" });
  #state = element("span", { className: "state" });
  #bar = element("progress", { max: 1, ariaLabel: "Sent" });

  /** @param {number} index */
  constructor(index) {
    this.root = element("div", { className: "upload" }, this.#name, this.#state, this.#note, this.#bar);
    this.root.style.transform = `translateY(${index * ROW}px)`;
  }

  /** @param {Entry} entry */
  show({ name, state, note, sent, file, imageId }) {
    this.root.dataset.state = state;
    this.#name.textContent = this.#name.title = name;
    if (imageId === null) this.#name.removeAttribute("href");
    else this.#name.href = imageLink(imageId);
    this.#state.textContent = NAMES[state];
    this.#note.textContent = this.#note.title = note || format.size(file.size);
    this.#bar.hidden = state !== "sending";
    this.#bar.value = file.size ? sent / file.size : 0;
  }
}

/** @param {Entry[]} entries @param {(entry: Entry) => number} value */
function total(entries, value) {
  return entries.reduce((sum, entry) => sum + value(entry), 0);
}
