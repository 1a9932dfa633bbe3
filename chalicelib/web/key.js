/** The key, where the repository asks for one: kept by this tab, gone with it. */

const SLOT = "image-repository-key";

/** @returns {string|null} */
export function current() {
  return sessionStorage.getItem(SLOT);
}

/** @param {string} key */
export function keep(key) {
  sessionStorage.setItem(SLOT, key);
}

export function forget() {
  sessionStorage.removeItem(SLOT);
}
