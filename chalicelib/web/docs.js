/** The page of the HTTP API: what `openapi.json` says, for people, with a line for a terminal for each operation. */

import { ROOT, byId, element } from "./dom.js";
import { curlLine } from "./docs-curl.js";
import { entryList, fieldList, kindOf, parameterList, placeOf, prose } from "./docs-parts.js";

/** @import { Answer, Description, Placed } from "./docs.d.ts" */

const REFUSED = 400;

/** @type {(() => void)[]} what to do when lines are to have a key, or no longer */
const lines = [];
const withKey = byId("with-key", HTMLInputElement);

/** @param {Description} description */
function show(description) {
  const placed = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })));
  byId("version", HTMLElement).textContent = description.info.version;
  const about = [...description.info.description.split("\n\n"), description.components.securitySchemes.key.description];
  byId("description", HTMLElement).append(...about.map((text) => element("p", {}, ...prose(text))));
  byId("waiting", HTMLElement).hidden = true;
  byId("about", HTMLElement).hidden = false;
  const groups = description.tags.map(({ name, description: text }) => ({
    name, text, operations: placed.filter(({ operation }) => operation.tags[0] === name),
  }));
  for (const { name, text, operations } of groups) {
    byId("operations", HTMLElement).append(element("section", { className: "group" },
      element("h2", { id: name, textContent: name }), element("p", { className: "quiet-text", textContent: text }),
      ...operations.map((each) => operationPart(each, description.servers[0].url))));
  }
  byId("operations", HTMLElement).append(schemasPart(description));
  const contents = byId("contents", HTMLElement);
  contents.append(...groups.map(({ name, operations }) => contentsPart(name, operations)),
    element("p", {}, element("a", { href: "#Schemas", textContent: "Schemas" })));
  contents.hidden = false;
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/** @param {string} tag @param {Placed[]} operations */
function contentsPart(tag, operations) {
  return element("div", {}, element("p", {}, element("a", { href: `#${tag}`, textContent: tag })),
    element("ul", {}, ...operations.map(({ method, path, operation }) => element("li", {},
      element("a", { href: `#${operation.operationId}` }, methodMark(method), element("span", { textContent: path }))))));
}

/** @param {string} method */
const methodMark = (method) => element("span", { className: `method ${method.toLowerCase()}`, textContent: method });

/** @param {Placed} placed @param {string} server */
function operationPart(placed, server) {
  const { method, path, operation } = placed;
  const name = `${method} ${path}`;
  const all = Object.entries(operation.responses);
  const answers = all.filter(([status]) => Number(status) < REFUSED);
  const refusals = all.filter(([status]) => Number(status) >= REFUSED);
  const body = Object.entries(operation.requestBody?.content ?? {})[0];
  return element("article", { className: "operation", id: operation.operationId },
    element("h3", {}, methodMark(method), " ", element("code", { textContent: path })),
    element("p", { className: "summary", textContent: operation.summary }),
    element("p", {}, ...prose(operation.description)),
    linePart(placed, server),
    ...(operation.parameters ? [element("h4", { textContent: "Parameters" }), parameterList(operation.parameters)] : []),
    ...(body ? [element("h4", { textContent: "Body" }), element("p", {}, element("code", { textContent: body[0] }), ": ", ...kindOf(body[1].schema))] : []),
    element("h4", { textContent: "Answers" }),
    entryList(answers.map(answerEntry)),
    element("details", {}, element("summary", { textContent: "Refusals" }), entryList(refusals.map(answerEntry))),
    ...exampleParts(name, answers));
}

/** @param {[string, Answer]} answer */
function answerEntry([status, { description, content, headers }]) {
  const [type, body] = Object.entries(content ?? {})[0] ?? [];
  const kind = body?.schema.$ref ? kindOf(body.schema) : [type ?? "no body"];
  const also = Object.keys(headers ?? {}).map((name) => element("small", { textContent: ` Header: ${name}.` }));
  return { name: status, kind, meaning: [...prose(description), ...also] };
}

/** @param {string} name @param {[string, Answer][]} answers */
function exampleParts(name, answers) {
  const example = answers[0]?.[1].content?.["application/json"]?.example;
  if (!example) return [];
  return [element("details", {}, element("summary", { textContent: "An example of the answer" }),
    element("pre", { tabIndex: 0, ariaLabel: `An answer of ${name}`, role: "group" },
      element("code", { textContent: JSON.stringify(example, null, 2) })))];
}

/** @param {Placed} placed @param {string} server */
function linePart(placed, server) {
  const code = element("code");
  const copy = element("button", { className: "button", type: "button", textContent: "Copy" });
  copy.ariaLabel = `Copy the line for ${placed.operation.operationId}`;
  copy.addEventListener("click", () => copyText(code, copy));
  const write = () => { code.textContent = curlLine(placed, server, withKey.checked); };
  lines.push(write);
  write();
  const name = `A line for ${placed.operation.operationId}`;
  return element("div", { className: "line" }, element("pre", { tabIndex: 0, ariaLabel: name, role: "group" }, code), copy);
}

/**
 * @param {HTMLElement} code selected where the browser lets no page write to the clipboard
 * @param {HTMLElement} button
 */
async function copyText(code, button) {
  for (const each of document.querySelectorAll(".line .button")) each.textContent = "Copy";
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(code);
    button.textContent = "Selected";
  }
  byId("said", HTMLElement).textContent = `${button.textContent}.`;
}

/** @param {Description} description */
function schemasPart({ components }) {
  return element("section", { className: "group" }, element("h2", { id: "Schemas", textContent: "Schemas" }),
    ...Object.entries(components.schemas).map(([name, schema]) => element("article", { className: "operation", id: placeOf(name) },
      element("h3", { textContent: name }),
      element("p", {}, ...prose(schema.description ?? "")),
      schema.properties ? fieldList(schema) : valuesPart(schema.enum ?? []))));
}

/** @param {unknown[]} values */
function valuesPart(values) {
  return element("ul", { className: "values" }, ...values.map((each) => element("li", {}, element("code", { textContent: String(each) }))));
}

async function start() {
  withKey.addEventListener("change", () => lines.forEach((write) => write()));
  const answer = await fetch(new URL("openapi.json", ROOT));
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  show(await answer.json());
}

start().catch((problem) => {
  byId("problem", HTMLElement).textContent = `The description cannot be shown: ${problem instanceof Error ? problem.message : problem}`;
});
