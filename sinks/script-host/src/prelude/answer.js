// Answers: what `answer` takes, and what an event makes of it. A text is a reply, a hop, a step or a record, and one reply stands for the
// outcomes of all who are due: which of these it is follows from the event.

import { ASKED, asked } from "mailsluice:command.js";
import { count, kind, options, text } from "mailsluice:guard.js";
import { LOGGED, logged } from "mailsluice:login.js";
import { Recipient } from "mailsluice:recipient.js";
import { EVENT_S_OWN, reply } from "mailsluice:reply.js";

const NO_REPLY = [0, 0, 0, 0, ""];
const STEPS = ["continue", "repeat", "hello", "reset", "quit"];
const COMMANDS = ["line", "octets", "turn", "instead"];
const RESOLUTIONS = ["local", "remote", "to", "members"];

// What each type of answer is written like.
const LIKE = {
  reply: "a reply, such as { code: 250, text: \"Fine\" }, also with `line`, `octets` or `turn`, or { instead: line }",
  identity: "{ user }, a user's name, or { challenge: octets }",
  limit: "a limit in octets",
  resolution: "{ local: true }, { remote: true }, { to: address } or { members: [address, …] }",
  route: "a list of hops, such as [\"smtp:mx.example.com:25\", \"local\"]",
  outcomes: "a list of outcomes, such as [{ recipient, code: 250 }], or one reply for all",
  step: "continue, repeat, hello, reset or quit, as a text",
  records: "a list of records, such as [\"10 mx.example.com.\"]",
};

// The parts of an answer: code, status (three numbers) and text of a reply, a number, the kind, and what the kind has beside.
export function answerOf(value) {
  if (typeof value === "number" || typeof value === "bigint") {
    return [...NO_REPLY, count(Number(value), "the limit of answer"), "limit"];
  }
  if (typeof value === "string") return [EVENT_S_OWN, 0, 0, 0, text(value), undefined, "text"];
  if (Array.isArray(value)) return [...NO_REPLY, undefined, ...listed(value)];
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`answer takes a reply, a limit, a resolution or a list, not ${kind(value)}`);
  }
  if (RESOLUTIONS.some((name) => name in value)) return [...NO_REPLY, undefined, ...resolved(value)];
  if (ASKED.some((name) => name in value)) return asked(value);
  if (LOGGED.some((name) => name in value)) return logged(value);
  return [...replied(value, "answer"), undefined, "reply"];
}

function replied(value, what, names = ["code", "status", "text"]) {
  const read = options(value, what, names);
  return reply(what, text(read.text ?? "", `the text of ${what}`), read, [2, 4, 5], { 2: 250, 4: 450, 5: 550 });
}

function resolved(value) {
  const { to, members, sender } = options(value, "answer", [...RESOLUTIONS, "sender"]);
  const given = RESOLUTIONS.filter((name) => name in value);
  if (given.length > 1) throw new TypeError(`answer takes one of ${given.join(" and ")}, not both`);
  if ("sender" in value && members === undefined) throw new TypeError("answer takes a sender with members only");
  if (given[0] === "to") return ["rewritten", [text(to, "the address of answer")]];
  if (given[0] !== "members") {
    if (value[given[0]] !== true) throw new TypeError(`${given[0]} of answer must be true, not ${kind(value[given[0]])}`);
    return [given[0]];
  }
  if (!Array.isArray(members)) throw new TypeError(`the members of answer must be a list, not ${kind(members)}`);
  const from = sender === undefined ? undefined : text(sender ?? "", "the sender of answer");
  return ["expanded", members.map((each) => text(String(each), "a member of answer")), from];
}

function listed(list) {
  if (list.every((each) => typeof each === "string")) return ["list", list.map((each) => text(each))];
  const fits = typeof list[0] === "string" ? (each) => typeof each === "string" : (each) => kind(each) === "an object";
  const other = list.findIndex((each) => !fits(each));
  if (other >= 0) throw new TypeError(`the list of answer must be of texts or of outcomes; ${kind(list[other])} is in it`);
  return ["outcomes", list.map(outcome)];
}

function outcome(value) {
  const parts = replied(value, "an outcome", ["recipient", "code", "status", "text"]);
  const { recipient } = value;
  const place = recipient instanceof Recipient ? recipient.place : recipient;
  return [count(place, "the recipient of an outcome", 0, 0xffffffff), ...parts];
}

// What an answer is at an event that takes this type, whose leg has these recipients; a text if it is none.
export function fitted(parts, wanted, due) {
  const kind = parts[7];
  const single = kind === "text" || kind === "reply";
  if (kind === "list" && (wanted === "route" || wanted === "records")) return parts.with(7, wanted);
  if (kind === "text" && (wanted === "route" || wanted === "records")) return [...parts.slice(0, 7), wanted, [parts[5]]];
  if (single && wanted === "outcomes") return [...parts.slice(0, 7), wanted, due().map((place) => [place, ...parts.slice(1, 6)])];
  if (kind === "list" && wanted === "outcomes" && parts[8].length === 0) return parts.with(7, wanted);
  if (kind === "text" && wanted === "step" && STEPS.includes(parts[5])) return parts.with(7, wanted);
  if (wanted === "reply" && (single || COMMANDS.includes(kind))) return parts;
  if (kind === "text" && wanted === "identity") return parts.with(7, wanted);
  if (kind === "challenge" && wanted === "identity") return parts;
  if (kind === wanted) return parts;
  if (wanted === "resolution" && ["local", "remote", "rewritten", "expanded"].includes(kind)) return parts;
  return `takes ${LIKE[wanted]}`;
}
