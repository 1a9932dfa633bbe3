/** Doing it again after a while, where that may help. */

import { ApiError } from "./api.js";

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 30;

/** @param {number} seconds @param {AbortSignal} [signal] @returns {Promise<void>} rejected when aborted */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/**
 * The result of `work`, tried up to `tries` times as long as it fails in a way that may pass.
 * @template T
 * @param {() => Promise<T>} work
 * @param {{tries?: number, onPause?: (seconds: number) => void}} [options]
 * @returns {Promise<T>}
 */
export async function retrying(work, { tries = 6, onPause } = {}) {
  for (let made = 1; ; made += 1) {
    try {
      return await work();
    } catch (problem) {
      if (made >= tries || !(problem instanceof ApiError) || !mayPass(problem)) throw problem;
      // A random part keeps many senders from coming back all at once.
      const backOff = Math.min(FIRST_PAUSE * 2 ** (made - 1), LONGEST_PAUSE) * (0.5 + Math.random() / 2);
      const seconds = Math.max(backOff, problem.retryAfter ?? 0);
      onPause?.(seconds);
      await pause(seconds);
    }
  }
}

/** @param {ApiError} problem */
function mayPass(problem) {
  return problem.status === 0 || problem.status === 429 || problem.status >= 500;
}
