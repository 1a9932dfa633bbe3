// Lays out what each line of its input asks for, and writes what came of it as one line: for tests of `layout.js` itself.
import { createInterface } from "node:readline";
import { Layout } from "../../chalicelib/web/layout.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { width, target, frames, batches, heights } = JSON.parse(line);
  const layout = new Layout(width, target);
  const changed = batches.map((/** @type {number} */ end) => layout.extend(frames.slice(0, end)));
  const places = layout.rows.map((row) => layout.places(row, frames));
  const rowOf = frames.map((/** @type {unknown} */ _, /** @type {number} */ index) => layout.rowOf(index));
  const rowAt = heights.map((/** @type {number} */ y) => layout.rowAt(y));
  const down = frames.map((/** @type {unknown} */ _, /** @type {number} */ index) => layout.beside(index, 1, frames));
  console.log(JSON.stringify({ rows: layout.rows, height: layout.height, changed, places, rowOf, rowAt, down }));
}
