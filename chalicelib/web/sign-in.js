/** Asking for the key where the repository wants one. */

import { ApiError, listImages } from "./api.js";
import { byId } from "./dom.js";
import * as key from "./key.js";

const field = byId("key", HTMLInputElement);
const problemLine = byId("sign-in-problem", HTMLElement);
const signOut = byId("sign-out", HTMLButtonElement);

/** @param {() => void} signedIn called when a key was accepted */
export function start(signedIn) {
  signOut.hidden = key.current() === null;
  signOut.addEventListener("click", () => {
    key.forget();
    location.reload();
  });
  byId("sign-in-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    problemLine.textContent = "";
    key.keep(field.value.trim());
    try {
      await listImages(new URLSearchParams(), { limit: 1 });
    } catch (problem) {
      key.forget();
      problemLine.textContent = problem instanceof Error ? problem.message : String(problem);
      field.select();
      return;
    }
    field.value = "";
    signOut.hidden = false;
    signedIn();
  });
}

/**
 * Whether a request failed for want of a key. Where it only wanted to read, a key that may not even do that is as good as none.
 * @param {unknown} problem
 * @param {{reading?: boolean}} [request]
 */
export function needed(problem, { reading = false } = {}) {
  if (!(problem instanceof ApiError)) return false;
  return problem.status === 401 || (reading && problem.status === 403);
}

/** @param {unknown} problem why the question comes up */
export function ask(problem) {
  const hadKey = key.current() !== null;
  key.forget();
  signOut.hidden = true;
  problemLine.textContent = hadKey && problem instanceof Error ? problem.message : "";
  field.focus();
}
