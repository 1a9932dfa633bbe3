/** The repository's HTTP API, as functions. The key goes with these requests and with no others. */

import { ROOT } from "./dom.js";
import * as key from "./key.js";

/** @import { Answer, Details, Offer, Page, UploadState } from "./types.js" */

/** A request that was refused, or (status 0) that found nobody to refuse it. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code the contract's `Code`
   * @param {string} message a sentence for people
   * @param {number} [retryAfter] seconds that the server asks to wait
   */
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * One page of the list.
 * @param {URLSearchParams} query filters and sort, by the API's names
 * @param {{limit: number, cursor?: string|null, total?: boolean}} page
 * @returns {Promise<Page>}
 */
export function listImages(query, { limit, cursor, total }) {
  const parameters = new URLSearchParams(query);
  parameters.set("limit", String(limit));
  if (cursor) parameters.set("cursor", cursor);
  if (total) parameters.set("include_total", "true");
  return call("GET", `image/list?${parameters}`);
}

/** @param {number} id @returns {Promise<Details>} */
export function imageDetails(id) {
  return call("GET", `image/${id}/details`);
}

/**
 * @param {number} id
 * @param {{keepalive?: boolean}} [options] `keepalive` lets the request outlive the page
 * @returns {Promise<void>}
 */
export function deleteImage(id, options = {}) {
  return call("DELETE", `image/${id}`, options);
}

/**
 * @param {Offer[]} files at most 100
 * @returns {Promise<{uploads: Answer[]}>} one answer per file, in order
 */
export function askToUpload(files) {
  const body = JSON.stringify({ files });
  return call("POST", "image/uploads", { body, headers: { "Content-Type": "application/json" } });
}

/** @param {string} uploadId @returns {Promise<UploadState>} */
export function uploadState(uploadId) {
  return call("GET", `image/uploads/${encodeURIComponent(uploadId)}`);
}

/** @returns {Promise<{limits: {max_bytes: number, formats: string[]}}>} */
export function health() {
  return call("GET", "health");
}

/**
 * @param {string} method
 * @param {string} path below the API's root
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the answer's JSON; nothing for 204
 */
async function call(method, path, options = {}) {
  const headers = new Headers(options.headers);
  const secret = key.current();
  if (secret) headers.set("Authorization", `Bearer ${secret}`);
  let answer;
  try {
    answer = await fetch(new URL(path, ROOT), { ...options, method, headers, redirect: "error" });
    if (answer.status === 204) return undefined;
    if (answer.ok) return await answer.json();
  } catch {
    throw new ApiError(0, "Unreachable", "The server does not answer.");
  }
  throw await refusal(answer);
}

/** @param {Response} answer @returns {Promise<ApiError>} */
async function refusal(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
  const body = await answer.json().catch(() => ({}));
  const message = typeof body.Message === "string" ? body.Message : `The server answered ${answer.status}.`;
  return new ApiError(answer.status, String(body.Code ?? ""), message, retryAfter);
}
