// What the other parts of the object model share: the natives, the check that an object's event is still on, the refusal of
// members that do not exist, and the checks of what a script hands in.

export const host = globalThis.__host;
delete globalThis.__host;

// The number of the call that is going on. An object belongs to the call in which it was made.
let current = 0;

export function nextCall() {
  return ++current;
}

export function live(call, label) {
  if (call !== current) throw new Error(`${label} is no longer available: the event that it belongs to is over`);
}

export function currentCall() {
  return current;
}

// Makes every member of a class that its prototype does not have a TypeError. Only such members reach the proxy, because it
// stands behind the prototype: those that exist cost nothing.
export function closed(type, label, hints = {}) {
  const names = Object.getOwnPropertyNames(type.prototype).filter((name) => name !== "constructor");
  for (const name of names) refuseAssignment(type.prototype, name, label, hints);
  const lack = (name) => new TypeError(`${label}.${name} does not exist${meant(name, names)}`);
  const rest = new Proxy(Object.prototype, {
    get(target, name, self) {
      // `await` asks for `then`, and JSON for `toJSON`, of whatever they get.
      if (typeof name === "symbol" || name in target || name === "then" || name === "toJSON") {
        return Reflect.get(target, name, self);
      }
      throw lack(name);
    },
    set(target, name) {
      throw lack(String(name));
    },
  });
  Object.setPrototypeOf(type.prototype, rest);
  Object.freeze(type.prototype);
}

function refuseAssignment(prototype, name, label, hints) {
  const property = Object.getOwnPropertyDescriptor(prototype, name);
  if (property.get === undefined || property.set !== undefined) return;
  property.set = () => {
    throw new TypeError(`${label}.${name} can't be assigned${hints[name] ? `: use ${hints[name]}` : ""}`);
  };
  Object.defineProperty(prototype, name, property);
}

// " (did you mean x?)" if a known name is near.
export function meant(name, names) {
  let best;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const known of names) {
    const distance = steps(name.toLowerCase(), known.toLowerCase());
    if (distance < least) [best, least] = [known, distance];
  }
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}

// Levenshtein's distance.
function steps(a, b) {
  if (Math.abs(a.length - b.length) > 8) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

// What a value is, for error texts.
export function kind(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "undefined") return "nothing";
  return (typeof value === "object" ? "an " : "a ") + typeof value;
}

// A text: strings as they are, numbers and truth values as they are written.
export function text(value, what) {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : value.toWellFormed();
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      throw new TypeError(`${what} must be a text, not ${kind(value)}`);
  }
}

export function optionalText(value, what) {
  return value === undefined || value === null ? undefined : text(value, what);
}

// A whole number within bounds.
export function count(value, what, least = 0, most = Number.MAX_SAFE_INTEGER) {
  if (!Number.isInteger(value) || value < least || value > most) {
    const shown = typeof value === "number" ? value : kind(value);
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${shown}`);
  }
  return value;
}

// Octets: strings in UTF-8, buffers and their views as they are.
export function octets(value, what) {
  if (typeof value === "string") return host.encode(text(value));
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`${what} must be a text or a Uint8Array, not ${kind(value)}`);
}

// Options: an object with none but the named members.
export function options(value, what, names) {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object") throw new TypeError(`the options of ${what} must be an object, not ${kind(value)}`);
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw new TypeError(`${what} has no option ${name}${meant(name, names)}`);
  }
  return value;
}

// The full name of a property: "name" is one's own, "sink:name" another's.
export function propertyName(name) {
  return text(name, "the name of a property").replace(":", ".");
}

// The JSON of a value; nothing is `null`, which removes.
export function json(value, what) {
  const written = JSON.stringify(value === undefined ? null : value);
  if (written === undefined) throw new TypeError(`${what} must be a JSON value, not ${kind(value)}`);
  return written.toWellFormed();
}

// What a host function said was wrong, if anything was.
export function done(error) {
  if (error !== undefined && error !== null) throw new TypeError(error);
}

// Freezes a JSON value all the way down.
export function deepFreeze(value) {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
