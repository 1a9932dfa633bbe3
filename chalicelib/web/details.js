/** What is known of an image, as elements. */

import { element } from "./dom.js";
import * as format from "./format.js";

/** @import { Details } from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";
const LONGEST_VALUE = 400;

/**
 * @param {Details} details
 * @param {(model: string) => void} onCamera called when the camera's name is pressed
 * @returns {HTMLElement[]}
 */
export function describe(details, onCamera) {
  const { camera, exposure, location } = details;
  /** @type {HTMLElement[]} */
  const parts = [facts(details)];
  if (camera) parts.push(section("Camera", cameraLine(camera, onCamera), element("p", { textContent: camera.lens ?? "" })));
  if (exposure) parts.push(section("Exposure", element("p", { textContent: exposureLine(exposure) })));
  if (location && location.latitude !== null && location.longitude !== null) {
    parts.push(section("Position", globe(location.latitude, location.longitude), place(location.latitude, location.longitude, location.altitude)));
  }
  parts.push(exif(details.exif));
  return parts;
}

/** @param {Details} details */
function facts(details) {
  const offset = details.taken_at_offset ? ` (UTC${details.taken_at_offset})` : "";
  const rows = [
    ["Taken", details.taken_at ? format.wallClock(details.taken_at) + offset : "not known"],
    ["Uploaded", format.moment(details.uploaded_at)],
    ["Size", `${format.count(details.width)} × ${format.count(details.height)}, ${format.size(details.byte_size)}`],
    ["Format", details.frames > 1 ? `${details.format}, ${format.count(details.frames)} frames` : details.format],
  ];
  return element("dl", { className: "facts" }, ...rows.map(([term, value]) =>
    element("div", {}, element("dt", { textContent: term }), element("dd", { textContent: value }))));
}

/** @param {NonNullable<Details["camera"]>} camera @param {(model: string) => void} onCamera */
function cameraLine(camera, onCamera) {
  const { make, model } = camera;
  if (!model) return element("p", { textContent: make ?? "" });
  const name = make && !model.toLowerCase().startsWith(make.toLowerCase()) ? `${make} ${model}` : model;
  const button = element("button", { type: "button", className: "link", textContent: name, title: "Show all pictures of this camera" });
  button.addEventListener("click", () => onCamera(model));
  return element("p", {}, button);
}

/** @param {NonNullable<Details["exposure"]>} exposure */
function exposureLine({ exposure_time, f_number, iso, focal_length }) {
  const parts = [];
  if (exposure_time !== null) parts.push(format.exposureTime(exposure_time));
  if (f_number !== null) parts.push(`f/${Number(f_number.toFixed(1))}`);
  if (iso !== null) parts.push(`ISO ${iso}`);
  if (focal_length !== null) parts.push(`${Number(focal_length.toFixed(1))} mm`);
  return parts.join("  ·  ");
}

/** @param {number} latitude @param {number} longitude @param {number|null} altitude */
function place(latitude, longitude, altitude) {
  const above = altitude === null ? "" : `, ${Math.round(altitude)} m`;
  return element("p", { textContent: format.position(latitude, longitude) + above });
}

/** Where on Earth, roughly: meridians, parallels and a dot. @param {number} latitude @param {number} longitude */
function globe(latitude, longitude) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "-180 -90 360 180");
  drawing.setAttribute("class", "globe");
  drawing.setAttribute("aria-hidden", "true");
  for (let x = -150; x <= 150; x += 30) drawing.append(line(x, -90, x, 90, x === 0));
  for (let y = -60; y <= 60; y += 30) drawing.append(line(-180, y, 180, y, y === 0));
  const dot = document.createElementNS(SVG, "circle");
  for (const [name, value] of [["cx", longitude], ["cy", -latitude], ["r", 6]]) dot.setAttribute(String(name), String(value));
  drawing.append(dot);
  return drawing;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {boolean} main */
function line(x1, y1, x2, y2, main) {
  const made = document.createElementNS(SVG, "line");
  for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) made.setAttribute(name, String(value));
  if (main) made.setAttribute("class", "main");
  return made;
}

/** @param {Record<string, unknown>} tags */
function exif(tags) {
  const names = Object.keys(tags).sort();
  const rows = names.map((name) =>
    element("tr", {}, element("th", { scope: "row", textContent: name }), element("td", { textContent: valueText(tags[name]) })));
  const summary = element("summary", { textContent: names.length ? `EXIF, ${format.count(names.length)} tags` : "No EXIF" });
  const table = element("table", { className: "exif" }, element("tbody", {}, ...rows));
  return names.length ? element("details", { className: "tags" }, summary, table) : element("p", { className: "quiet-text", textContent: "The file holds no EXIF." });
}

/** @param {unknown} value */
function valueText(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** @param {string} title @param {...Element} content */
function section(title, ...content) {
  return element("section", {}, element("h3", { textContent: title }), ...content.filter((each) => each.childNodes.length));
}
