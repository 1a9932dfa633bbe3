/** The parts of the page of the HTTP API: prose, lists of fields and parameters, what a schema is in a few words. */

import { element } from "./dom.js";

/** @import { Parameter, Schema } from "./docs.d.ts" */

/**
 * A sentence in which `code` stands between backticks.
 * @param {string} text
 * @returns {(Node|string)[]}
 */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", { textContent: part }) : part));
}

/** @param {string} name @returns {string} the id of a schema's section */
export const placeOf = (name) => `schema-${name}`;

/**
 * What a value of the schema is, in a few words.
 * @param {Schema} schema
 * @returns {(Node|string)[]}
 */
export function kindOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return [element("a", { href: `#${placeOf(name)}`, textContent: name })];
  }
  if (schema.anyOf) return schema.anyOf.flatMap((each, index) => [...(index ? [" or "] : []), ...kindOf(each)]);
  if (schema.const !== undefined) return [element("code", { textContent: String(schema.const) })];
  if (schema.items) return ["list of ", ...kindOf(schema.items)];
  if (schema.additionalProperties) return ["object of ", ...kindOf(schema.additionalProperties)];
  return [schema.format ?? String(schema.type)];
}

/** @param {Schema} schema @returns {string} the bounds, the default and an example, as far as there are any */
function limitsOf(schema) {
  const { minimum, maximum, default: usual, examples } = schema;
  const longest = schema.maxLength ?? schema.items?.maxLength;
  return [
    minimum !== undefined && maximum !== undefined && maximum < 2 ** 31 ? `${minimum} to ${maximum}` : "",
    longest ? `at most ${longest} characters` : "",
    schema.maxItems ? `at most ${schema.maxItems}` : "",
    usual !== undefined ? `default ${usual}` : "",
    examples && usual === undefined ? `such as ${typeof examples[0] === "object" ? JSON.stringify(examples[0]) : examples[0]}` : "",
  ].filter(Boolean).join("; ");
}

/**
 * Names, each with what it is in small, and what it means.
 * @param {{ name: string, kind: (Node|string)[], meaning: (Node|string)[] }[]} entries
 * @returns {HTMLElement}
 */
export function entryList(entries) {
  return element("dl", { className: "entries" }, ...entries.map(({ name, kind, meaning }) =>
    element("div", {}, element("dt", {}, element("code", { textContent: name }), " ", element("small", {}, ...kind)),
      element("dd", {}, ...meaning))));
}

/** @param {string} name @param {Schema} schema @param {string} about @param {string} note */
function entry(name, schema, about, note) {
  const limits = limitsOf(schema);
  return {
    name,
    kind: [...kindOf(schema), note],
    meaning: [...prose(about), ...(limits ? [" ", element("small", { textContent: limits })] : [])],
  };
}

/** @param {Parameter[]} parameters */
export function parameterList(parameters) {
  return entryList(parameters.map((each) => entry(each.name, each.schema, each.description, each.required ? ", required" : "")));
}

/** @param {Schema} schema */
export function fieldList(schema) {
  return entryList(Object.entries(schema.properties ?? {}).map(([name, field]) =>
    entry(name, field, field.description ?? "", schema.required?.includes(name) ? "" : ", may be absent")));
}
