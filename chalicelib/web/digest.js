/** A file's SHA-256, so that what is held already need not be sent. */

/** Larger files are not read into memory for it. */
const LARGEST = 1_000_000_000;

/**
 * @param {File} file
 * @returns {Promise<string|undefined>} in hexadecimal; undefined where the browser offers no digests (it does so only over
 *   https and on the machine itself) or the file is too large: it is then sent without
 */
export async function sha256(file) {
  if (!globalThis.crypto?.subtle || file.size > LARGEST) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
