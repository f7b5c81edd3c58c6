// The verdicts: what they are made of, and how a reply's code, status and text are read. `conclude` in run.js checks that those
// made are those returned.

import { count, kind, options, text } from "mailsluice:guard.js";

// Another class than the verdict's makes the server take the event's own code and status.
const EVENT_S_OWN = 250;

const made = [];
let watching = false;

class Verdict {
  #parts;

  constructor(name, parts) {
    this.#parts = [name, ...parts];
    Object.freeze(this);
    if (watching) made.push({ verdict: this, name, at: new Error(`${call(name)} was called, but what it made was not returned: write \`return ${call(name)}\``) });
  }

  static parts(value) {
    return typeof value === "object" && value !== null && #parts in value ? value.#parts : undefined;
  }

  toString() {
    return this.#parts[0];
  }
}
Object.freeze(Verdict.prototype);

// The name as a script writes it.
function call(name) {
  return `${name === "skip-rest" ? "skipRest" : name}(…)`;
}

// From here on each verdict has to be returned.
export function watch() {
  made.length = 0;
  watching = true;
}

// Ends that, and returns what a verdict consists of: its name, then code, status (three numbers), text, and its number. Nothing
// if `value` is none.
export function read(value) {
  watching = false;
  const stray = made.find((each) => each.verdict !== value);
  made.length = 0;
  if (stray !== undefined) throw stray.at;
  return Verdict.parts(value);
}

export function quiet() {
  watching = false;
  made.length = 0;
}

function status(value, what, classes) {
  if (value === undefined || value === null) return [0, 0, 0];
  const found = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(String(value));
  if (found === null || !classes.includes(Number(found[1]))) {
    const shown = classes.map((each) => `${each}.7.1`).join(" or ");
    throw new TypeError(`the status of ${what} must be like ${shown}, not ${String(value)}`);
  }
  return found.slice(1).map(Number);
}

// A reply of these classes: code, three numbers of status, text. Code 0: none was given.
export function reply(what, words, given, classes, codes) {
  const parts = status(given.status, what, classes);
  const wanted = given.code === undefined || given.code === null;
  if (wanted && words === undefined && parts[0] === 0) return [0, ...parts, ""];
  const standard = parts[0] === 0 ? EVENT_S_OWN : codes[parts[0]];
  const code = wanted ? standard : count(given.code, `the code of ${what}`, classes[0] * 100, classes.at(-1) * 100 + 99);
  return [code, ...parts, words ?? ""];
}

// `reject(text, options)`, with either left out.
export function refusal(what, words, given, names, classes, codes) {
  if (typeof words === "object" && words !== null && given === undefined) [words, given] = [undefined, words];
  const read = options(given, what, names);
  const line = words === undefined || words === null ? undefined : text(words, `the text of ${what}`);
  return [reply(what, line, read, classes, codes), read];
}

export function rejection(words, given, what = "reject") {
  return refusal(what, words, given, ["code", "status"], [5], { 5: 550 })[0];
}

export function deferral(words, given, what = "defer") {
  return refusal(what, words, given, ["code", "status"], [4], { 4: 451 })[0];
}

function next() {
  return new Verdict("next", []);
}

function skipRest() {
  return new Verdict("skip-rest", []);
}

function reject(words, given) {
  return new Verdict("reject", rejection(words, given));
}

function defer(words, given) {
  const [parts, read] = refusal("defer", words, given, ["after", "code", "status"], [4], { 4: 451 });
  const after = read.after === undefined ? undefined : count(read.after, "the seconds of `after`", 0, 0xffffffff);
  return new Verdict("defer", [...parts, after]);
}

function disconnect(words, given) {
  return new Verdict("disconnect", refusal("disconnect", words, given, ["code", "status"], [4, 5], { 4: 421, 5: 554 })[0]);
}

function discard() {
  return new Verdict("discard", []);
}

function hold(reason) {
  const words = reason === undefined ? "held by the script" : text(reason, "the reason of hold");
  return new Verdict("hold", [0, 0, 0, 0, words]);
}

function answer(value) {
  if (typeof value === "number" || typeof value === "bigint") {
    return new Verdict("answer", [0, 0, 0, 0, "", count(Number(value), "the limit of answer")]);
  }
  if (typeof value === "string") return new Verdict("answer", [EVENT_S_OWN, 0, 0, 0, text(value)]);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`answer takes a reply or a limit, not ${kind(value)}`);
  }
  const read = options(value, "answer", ["code", "status", "text"]);
  const words = text(read.text ?? "", "the text of answer");
  const parts = reply("answer", words, read, [2, 4, 5], { 2: 250, 4: 450, 5: 550 });
  return new Verdict("answer", parts);
}

export const verdicts = { next, skipRest, answer, reject, defer, disconnect, discard, hold };
Object.values(verdicts).forEach(Object.freeze);
Object.assign(globalThis, verdicts);
