// `console`, which writes to the sink's log.

import { host, kind } from "mailsluice:guard.js";

const DEPTH = 4;

// A value as a reader of a log wants it: strings as they are, errors with their stack, objects like JSON.
function shown(value) {
  if (typeof value === "string") return value.toWellFormed();
  return inspect(value, DEPTH, []).toWellFormed();
}

function inspect(value, depth, above) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name || "without a name"}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return `${value}\n${value.stack ?? ""}`.trimEnd();
  if (above.includes(value)) return "[circular]";
  if (depth === 0) return `[${kind(value)}]`;
  const inner = (each) => inspect(each, depth - 1, [...above, value]);
  if (Array.isArray(value)) return `[${value.map(inner).join(", ")}]`;
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} octets]`;
  if (value instanceof Map) return `Map {${[...value].map(([key, each]) => `${inner(key)}: ${inner(each)}`).join(", ")}}`;
  if (value instanceof Set) return `Set {${[...value].map(inner).join(", ")}}`;
  if (value instanceof Date || value instanceof RegExp) return String(value);
  const fields = Object.keys(value).map((name) => `${name}: ${inner(value[name])}`);
  return fields.length === 0 && Object.getPrototypeOf(value) !== Object.prototype ? String(value) : `{ ${fields.join(", ")} }`;
}

const writer = (level) => (...values) => host.log(level, values.map(shown).join(" "));

globalThis.console = Object.freeze({
  debug: writer("debug"),
  log: writer("info"),
  info: writer("info"),
  warn: writer("warn"),
  error: writer("error"),
});
