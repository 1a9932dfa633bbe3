/** A line for a terminal that carries an operation out, with the description's own examples. */

/** @import { Placed } from "./docs.d.ts" */

/** A key as it looks; the shell is to put a real one in its place. */
const KEY = "-H \"Authorization: Bearer $KEY\"";

/**
 * @param {Placed} placed
 * @param {string} server the address that the paths are below
 * @param {boolean} withKey
 * @returns {string}
 */
export function curlLine({ method, path, operation }, server, withKey) {
  const words = ["curl"];
  if (operation.responses["302"]) words.push("-LOJ");
  if (method === "DELETE") words.push("-X DELETE");
  if (withKey && operation.security.length > 0) words.push(KEY);
  words.push(...bodyOf(operation), quoted(server + filledIn(path, operation.parameters ?? [])));
  return words.join(" ");
}

/** @param {Placed["operation"]} operation @returns {string[]} */
function bodyOf({ requestBody }) {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (!type || !content) return [];
  if (type === "multipart/form-data") return ["-F image=@photo.jpg"];
  return [`-H ${quoted(`Content-Type: ${type}`)}`, `-d ${quoted(JSON.stringify(content.example))}`];
}

/** @param {string} path @param {NonNullable<Placed["operation"]["parameters"]>} parameters @returns {string} */
function filledIn(path, parameters) {
  return path.replace(/\{(\w+)\}/g, (part, name) => {
    const example = parameters.find((each) => each.name === name)?.schema.examples?.[0];
    return example === undefined ? part : encodeURIComponent(String(example));
  });
}

/** @param {string} text @returns {string} as one word of a shell */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
