// The verdicts, and what they are made of. `conclude` in run.js checks that those made are those returned.

import { answerOf } from "mailsluice:answer.js";
import { count, text } from "mailsluice:guard.js";
import { refusal, rejection } from "mailsluice:reply.js";

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

// Ends that, and returns what a verdict consists of: its name, then code, status (three numbers) and text of its reply, and its
// number; of an answer its kind, too, and what that has. Nothing if `value` is none.
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
  return new Verdict("answer", answerOf(value));
}

export const verdicts = { next, skipRest, answer, reject, defer, disconnect, discard, hold };
Object.values(verdicts).forEach(Object.freeze);
Object.assign(globalThis, verdicts);
