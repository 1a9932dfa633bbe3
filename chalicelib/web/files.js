/** Where files come from: dropped (folders with all that is in them), pasted, or chosen. */

import { byId } from "./dom.js";
import { say } from "./toast.js";

/** Files that systems put beside pictures and nobody means to keep. */
const LITTER = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

/** @param {(files: File[]) => void} take called with the files, in parts where there are many */
export function start(take) {
  const drop = byId("drop", HTMLElement);
  window.addEventListener("dragenter", (event) => { drop.hidden = !holdsFiles(event); });
  window.addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
  // Leaving the window, as opposed to one of its elements, leads to nothing.
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
  window.addEventListener("drop", (event) => {
    if (!holdsFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    drop.hidden = true;
    takeDropped(event.dataTransfer, take);
  });
  window.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
  });
  startChoosing(take);
}

/** @param {(files: File[]) => void} take */
function startChoosing(take) {
  const menu = byId("add-menu", HTMLElement);
  for (const [input, buttons] of [["file-input", ".choose-files"], ["folder-input", ".choose-folder"]]) {
    const chooser = byId(input, HTMLInputElement);
    chooser.addEventListener("change", () => {
      take(withoutLitter([...(chooser.files ?? [])]));
      chooser.value = "";
    });
    for (const button of document.querySelectorAll(buttons)) {
      button.addEventListener("click", () => {
        menu.hidePopover();
        chooser.click();
      });
    }
  }
}

/** @param {DragEvent} event */
function holdsFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** @param {DataTransfer} dropped @param {(files: File[]) => void} take */
function takeDropped(dropped, take) {
  // The entries have to be asked for now: once the event is over they are gone.
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  for (const entry of entries) walk(entry, take).catch(() => say(`Not all of ${entry.name} can be read.`));
}

/** @param {FileSystemEntry} entry @param {(files: File[]) => void} take */
async function walk(entry, take) {
  if (isFile(entry)) {
    take([await fileOf(entry)]);
  } else if (isFolder(entry)) {
    for await (const part of children(entry)) {
      take(withoutLitter(await Promise.all(part.filter(isFile).map(fileOf))));
      for (const folder of part.filter(isFolder)) await walk(folder, take);
    }
  }
}

// Browsers do not all make these classes known by name.
/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
const isFile = (entry) => entry.isFile;
/** @param {FileSystemEntry} entry @returns {entry is FileSystemDirectoryEntry} */
const isFolder = (entry) => entry.isDirectory;

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A folder hands its entries out in parts, the last one empty. @param {FileSystemDirectoryEntry} folder */
async function* children(folder) {
  const reader = folder.createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    yield part;
  }
}

/** @param {File[]} files */
function withoutLitter(files) {
  return files.filter((file) => !LITTER.test(file.name));
}
