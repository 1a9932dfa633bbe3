/** One line at the edge of the page, for a while; with something to do about it, where there is something. */

import { byId, element } from "./dom.js";

const SECONDS = 7;
let timer = 0;

/**
 * @param {string} text
 * @param {{label: string, run: () => void}} [action]
 */
export function say(text, action) {
  const toast = byId("toast", HTMLElement);
  const parts = [element("span", { textContent: text })];
  if (action) parts.push(element("button", { type: "button", className: "button", textContent: action.label, onclick: () => { hush(); action.run(); } }));
  toast.replaceChildren(...parts);
  toast.classList.add("shown");
  // An open dialog makes everything outside it inert: the line has to be inside to be heard and pressed.
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
  clearTimeout(timer);
  timer = setTimeout(hush, SECONDS * 1000);
}

export function hush() {
  clearTimeout(timer);
  const toast = byId("toast", HTMLElement);
  toast.classList.remove("shown");
  toast.replaceChildren();
}

/** The line comes along when the dialog it was in closes. */
export function follow() {
  const toast = byId("toast", HTMLElement);
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
}
