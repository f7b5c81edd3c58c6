// Replies: how their code, status and text are read.

import { count, options, text } from "mailsluice:guard.js";

// Another class than the verdict's makes the server take the event's own code and status.
export const EVENT_S_OWN = 250;

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
