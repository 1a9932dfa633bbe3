/**
 * Files on their way: digest, ticket, post, and what became of it. Each stage takes only so many at once, and is not far
 * ahead of the next, because tickets run out and bytes take memory.
 */

import { ApiError, askToUpload, uploadState } from "./api.js";
import { sha256 } from "./digest.js";
import { pause, retrying } from "./retry.js";
import { post } from "./transfer.js";

/** @import { Answer, Ticket, UploadState } from "./types.js" */

const HASHING = 2;
const SENDING = 3;
const ASKING_ABOUT = 4;
const HASHED_AHEAD = 200;
const TICKETS_AHEAD = 30;
const LARGEST_BATCH = 100;
const FIRST_LOOK_SECONDS = 0.25;
const SLOWEST_LOOK_SECONDS = 5;
const MOST_TICKETS = 3;

/**
 * `waiting` → `reading` → `ready` → `sending` → `processing`, and then how it ended.
 * @typedef {"waiting"|"reading"|"ready"|"sending"|"processing"|"stored"|"duplicate"|"rejected"|"failed"} State
 *
 * @typedef {object} Entry
 * @property {File} file
 * @property {string} name with its folders, where known
 * @property {State} state
 * @property {string} note what is to be said of it, for people
 * @property {number} sent bytes
 * @property {number|null} imageId
 * @property {string} [digest]
 * @property {Ticket} [ticket]
 * @property {number} tickets how many it has had
 */

const ENDED = new Set(["stored", "duplicate", "rejected", "failed"]);

/** @param {Entry} entry */
export function ended(entry) {
  return ENDED.has(entry.state);
}

/** Raises `change` whenever an entry changes, and `stored` when a new image is there. */
export class Uploads extends EventTarget {
  /** @type {Entry[]} in the order in which they came */ entries = [];
  /** @type {Set<string>} */ #underWay = new Set();
  /** @type {Entry[]} */ #waiting = [];
  /** @type {Entry[]} */ #hashed = [];
  /** @type {Entry[]} */ #ticketed = [];
  #hashing = 0;
  #asking = false;
  #sending = 0;
  #looking = 0;
  /** @type {Entry[]} */ #sent = [];
  #batch = 4;

  /** Whether something is not at its end. */
  get busy() {
    return this.#underWay.size > 0;
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) {
      const name = file.webkitRelativePath || file.name;
      const entry = { file, name, state: /** @type {State} */ ("waiting"), note: "", sent: 0, imageId: null, tickets: 0 };
      // The same folder dropped again while it is still under way changes nothing.
      if (this.#underWay.has(identity(entry))) continue;
      this.entries.push(entry);
      this.#take(entry);
    }
    this.#goOn();
  }

  /** Those that failed, from the beginning. */
  retryFailed() {
    for (const entry of this.entries) {
      if (entry.state !== "failed") continue;
      Object.assign(entry, { state: "waiting", note: "", sent: 0, tickets: 0, ticket: undefined });
      this.#take(entry);
    }
    this.#goOn();
  }

  /** Forget what has ended. */
  clear() {
    this.entries = this.entries.filter((entry) => !ended(entry));
    this.#changed();
  }

  /** @param {Entry} entry */
  #take(entry) {
    const type = entry.file.type;
    this.#underWay.add(identity(entry));
    if (type && !type.startsWith("image/")) this.#end(entry, "rejected", `Not sent: not a picture (${type}).`);
    else this.#waiting.push(entry);
  }

  /** Move on whatever can be. Called after every step, so that no stage has to watch another. */
  #goOn() {
    while (this.#hashing < HASHING && this.#hashed.length < HASHED_AHEAD && this.#waiting.length) this.#hash(shift(this.#waiting));
    if (!this.#asking && this.#ticketed.length < TICKETS_AHEAD && this.#worthAsking()) this.#ask();
    while (this.#sending < SENDING && this.#ticketed.length) this.#send(shift(this.#ticketed));
    while (this.#looking < ASKING_ABOUT && this.#sent.length) this.#follow(shift(this.#sent));
    this.#changed();
  }

  #worthAsking() {
    return this.#hashed.length >= this.#batch || (this.#hashed.length > 0 && !this.#hashing && !this.#waiting.length);
  }

  /** @param {Entry} entry */
  async #hash(entry) {
    this.#hashing += 1;
    entry.state = "reading";
    try {
      entry.digest = await sha256(entry.file);
      entry.state = "ready";
      this.#hashed.push(entry);
    } catch {
      this.#end(entry, "failed", "The file cannot be read: it was moved or changed.");
    }
    this.#hashing -= 1;
    this.#goOn();
  }

  async #ask() {
    this.#asking = true;
    const batch = this.#hashed.splice(0, this.#batch);
    // Few at first, so that sending begins at once; then many, so that what is held is known in few requests.
    this.#batch = Math.min(this.#batch * 2, LARGEST_BATCH);
    try {
      const offers = batch.map(({ file, digest }) => ({ name: file.name, size: file.size, ...(digest && { sha256: digest }) }));
      const { uploads } = await retrying(() => askToUpload(offers), { onPause: (seconds) => this.#notePause(batch, seconds) });
      uploads.forEach((answer, index) => this.#answered(batch[index], answer));
    } catch (problem) {
      for (const entry of batch) this.#end(entry, "failed", messageOf(problem));
      this.#tellProblem(problem);
    }
    this.#asking = false;
    this.#goOn();
  }

  /** @param {Entry} entry @param {Answer} answer */
  #answered(entry, answer) {
    entry.note = "";
    if (answer.action === "exists") {
      entry.imageId = answer.image_id;
      this.#end(entry, "duplicate", "Not sent again.");
    } else if (answer.action === "reject") {
      this.#end(entry, "rejected", answer.error.Message);
    } else {
      entry.ticket = answer;
      entry.tickets += 1;
      this.#ticketed.push(entry);
    }
  }

  /** @param {Entry} entry */
  async #send(entry) {
    this.#sending += 1;
    entry.state = "sending";
    try {
      await retrying(() => this.#post(entry), { onPause: (seconds) => this.#notePause([entry], seconds) });
      Object.assign(entry, { state: "processing", note: "", sent: entry.file.size });
      this.#sent.push(entry);
    } catch (problem) {
      // A ticket that ran out while its file waited is replaced by a new one.
      if (problem instanceof ApiError && problem.status === 403 && entry.tickets < MOST_TICKETS) this.#askAnew(entry);
      else this.#end(entry, "failed", messageOf(problem));
    }
    this.#sending -= 1;
    this.#goOn();
  }

  /** @param {Entry} entry */
  #post(entry) {
    if (!entry.ticket) throw new Error("only files with a ticket are sent");
    entry.note = "";
    return post(entry.ticket, entry.file, (sent) => {
      entry.sent = sent;
      this.#changed();
    });
  }

  /** Ask what became of it until that is known. @param {Entry} entry */
  async #follow(entry) {
    this.#looking += 1;
    try {
      for (let wait = FIRST_LOOK_SECONDS; entry.state === "processing"; wait = Math.min(wait * 1.5, SLOWEST_LOOK_SECONDS)) {
        await pause(wait);
        this.#learned(entry, await retrying(() => uploadState(entry.ticket?.upload_id ?? "")));
      }
    } catch (problem) {
      this.#end(entry, "failed", messageOf(problem));
    }
    this.#looking -= 1;
    this.#goOn();
  }

  /** @param {Entry} entry @param {UploadState} upload */
  #learned(entry, upload) {
    entry.imageId = upload.image_id ?? null;
    if (upload.status === "stored") {
      this.#end(entry, "stored", "");
      this.dispatchEvent(new Event("stored"));
    } else if (upload.status === "duplicate") {
      this.#end(entry, "duplicate", duplicateNote(upload));
    } else if (upload.status === "rejected") {
      this.#end(entry, "rejected", upload.error?.Message ?? "Refused.");
    } else if (upload.status === "expired") {
      this.#askAnew(entry);
    }
  }

  /** @param {Entry} entry */
  #askAnew(entry) {
    Object.assign(entry, { state: "ready", ticket: undefined, sent: 0 });
    this.#hashed.push(entry);
  }

  /** @param {Entry} entry @param {State} state @param {string} note */
  #end(entry, state, note) {
    Object.assign(entry, { state, note, sent: state === "failed" ? 0 : entry.file.size });
    this.#underWay.delete(identity(entry));
    this.#changed();
  }

  /** @param {Entry[]} entries @param {number} seconds */
  #notePause(entries, seconds) {
    for (const entry of entries) entry.note = `No answer. Trying again in ${Math.ceil(seconds)} s.`;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {unknown} problem */
  #tellProblem(problem) {
    this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
  }
}

/** @param {Entry} entry */
function identity({ name, file }) {
  return `${name}/${file.size}/${file.lastModified}`;
}

/** @param {UploadState} upload */
function duplicateNote({ match, differs }) {
  if (match === "file") return "The same file.";
  const other = differs?.length ? ` Its ${differs.join(", ")} differ.` : "";
  return `The same picture in another file.${other}`;
}

/** @param {unknown} problem */
function messageOf(problem) {
  return problem instanceof Error ? problem.message : String(problem);
}

/** @template T @param {T[]} queue @returns {T} */
function shift(queue) {
  const first = queue.shift();
  if (first === undefined) throw new Error("the queue is empty");
  return first;
}
