/** One file to the store, by the form its ticket describes. */

import { ApiError } from "./api.js";

/** @import { Ticket } from "./types.js" */

/**
 * Post the file; resolved when the store has accepted it.
 * @param {Ticket} ticket
 * @param {File} file
 * @param {(sent: number) => void} onProgress called with the bytes sent so far
 * @returns {Promise<void>} rejected with an `ApiError`
 */
export function post(ticket, file, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(ticket.fields)) form.append(name, value);
  form.append(ticket.file_field, file);
  return new Promise((resolve, reject) => {
    // fetch does not tell how far it is.
    const request = new XMLHttpRequest();
    request.open("POST", ticket.url);
    request.upload.addEventListener("progress", (event) => onProgress(Math.min(event.loaded, file.size)));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new ApiError(request.status, "StoreRefusal", storeMessage(request)));
    });
    request.addEventListener("error", () => reject(new ApiError(0, "Unreachable", "The store does not answer.")));
    request.send(form);
  });
}

/** @param {XMLHttpRequest} request @returns {string} what the store's XML says */
function storeMessage(request) {
  const message = /<Message>([^<]*)<\/Message>/.exec(request.responseText);
  return message ? `The store: ${message[1]}` : `The store answered ${request.status}.`;
}
