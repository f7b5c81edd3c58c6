// How the server's calls reach a script: which exports are functions for events, what they are called with, and what they return.

import { host, kind, meant, nextCall } from "mailsluice:guard.js";
import { context, grant, renew } from "mailsluice:context.js";
import { fitted } from "mailsluice:answer.js";
import { claimed } from "mailsluice:claims.js";
import { atHand, Message } from "mailsluice:message.js";
import { Command } from "mailsluice:command.js";
import { Credentials } from "mailsluice:login.js";
import { Excess, Reply } from "mailsluice:session.js";
import { Leg, Outbound, Question, step } from "mailsluice:transport.js";
import { quiet, read, watch } from "mailsluice:verdict.js";
import "mailsluice:console.js";
import "mailsluice:web.js";

const message = () => (host.hasMessage() ? new Message() : undefined);
const leg = () => new Leg(message());
const outbound = () => new Outbound(new Message());

// Each event by its name: the subject, whether a verdict is waited for, and the type of its answer, if it has one.
const EVENTS = {
  "in.connect": { subject: () => context.session, decides: true },
  "in.helo": { subject: () => new Command(undefined), decides: true },
  "in.tls": { subject: () => context.session, decides: true },
  "in.auth": { subject: () => new Credentials(), decides: true, answer: "identity" },
  "in.mail": { subject: message, decides: true },
  "in.rcpt": { subject: () => atHand(new Message()), decides: true },
  "in.data": { subject: message, decides: true },
  "in.headers": { subject: message, decides: true },
  "in.message": { subject: message, decides: true },
  "in.command": { subject: () => new Command(message()), decides: true, answer: "reply" },
  "in.reply": { subject: () => new Reply(message()), decides: true },
  "in.disconnect": { subject: () => context.session, decides: false },
  "transport.oversize": { subject: () => new Excess(message()), decides: true, answer: "limit" },
  "transport.submit": { subject: message, decides: true },
  "transport.pre-categorize": { subject: message, decides: true },
  "transport.categorize": { subject: () => atHand(new Message()), decides: true, answer: "resolution" },
  "transport.post-categorize": { subject: message, decides: true },
  "transport.route": { subject: leg, decides: true, answer: "route" },
  "transport.deliver": { subject: leg, decides: true, answer: "outcomes" },
  "transport.delivered": { subject: leg, decides: false },
  "transport.deferred": { subject: leg, decides: true },
  "transport.failed": { subject: leg, decides: true },
  "transport.dsn": { subject: message, decides: true },
  "out.connect": { subject: outbound, decides: true },
  "out.helo": { subject: outbound, decides: true },
  "out.message": { subject: outbound, decides: true },
  "out.mail": { subject: outbound, decides: true },
  "out.rcpt": { subject: outbound, decides: true },
  "out.data": { subject: outbound, decides: true },
  "out.reply": { subject: outbound, decides: true, answer: "step" },
  "out.quit": { subject: leg, decides: true },
  "out.disconnect": { subject: leg, decides: false },
  "dns.resolve": { subject: () => new Question(), decides: true, answer: "records" },
  track: { subject: step, decides: false },
  // These have no subject: `ctx` comes first, and second too, for those who expect it there.
  "server.start": { subject: () => context, decides: false },
  "server.reload": { subject: () => context, decides: false },
  "server.shutdown": { subject: () => context, decides: false },
};

const handlers = {};
let selfTest;
let running;

// "in.rcpt" as "inRcpt".
function camel(event) {
  return event.replace(/[.-](\w)/g, (_, letter) => letter.toUpperCase());
}

const NAMES = new Map(Object.keys(EVENTS).map((event) => [camel(event), event]));
NAMES.set("onArrival", "transport.submit");

// An error at a place in the script's text, which `host.find` knows.
function at(name, words) {
  const error = new TypeError(words);
  Object.defineProperty(error, "mailsluice:where", { value: host.find(name) });
  return error;
}

// An error about a function as a whole.
function about(handler, words) {
  const error = new TypeError(words);
  Object.defineProperty(error, "mailsluice:where", { value: place(handler) });
  return error;
}

export function prepare(grants) {
  grant(grants);
}

// Takes the exports of the main module, and returns the events and what is claimed.
export function adopt(exports) {
  for (const name of Object.keys(exports)) {
    if (name === "claims") continue;
    const event = NAMES.get(name);
    if (event === undefined && name !== "selfTest") {
      refuseStranger(name, exports[name]);
      continue;
    }
    if (typeof exports[name] !== "function") throw at(name, `${name} must be a function, not ${kind(exports[name])}`);
    if (name === "selfTest") selfTest = exports[name];
    else if (handlers[event] !== undefined) {
      throw at(name, "onArrival and transportSubmit are the same event: export one of them");
    } else handlers[event] = exports[name];
  }
  const events = Object.keys(EVENTS).filter((event) => handlers[event] !== undefined);
  if (events.length === 0) {
    throw at("", "there is no function for an event: export one, such as `export function onArrival(message, ctx)`");
  }
  return [events, claimed(exports.claims, (words) => at("claims", words))];
}

// Helpers may be exported, but what looks like an event's function and is none is a slip.
function refuseStranger(name, value) {
  if (typeof value !== "function") return;
  // Too many words are near to `track`.
  const events = [...NAMES.keys()].filter((each) => each !== "track");
  const near = meant(name, [...events, "selfTest"]);
  if (near !== "" || /^(in|on|out|transport|dns|server)[A-Z]/.test(name)) {
    throw at(name, `${name} is not an event that this version raises${near}`);
  }
}

// Calls the function of an event. What it returns, or what its promise holds, goes to `conclude`.
export function run(event) {
  running = undefined;
  const handler = handlers[event];
  if (handler === undefined) return undefined;
  nextCall();
  renew();
  running = { event, handler };
  watch();
  return handler(EVENTS[event].subject(), context);
}

// Reads what a function returned: nothing, which means `next`, or the parts of a verdict.
export function conclude(value) {
  if (running === undefined) return undefined;
  const { event, handler } = running;
  const parts = read(value);
  const name = handler.name || camel(event);
  if (value === undefined) return undefined;
  if (parts === undefined) {
    throw about(handler, `${name} returned ${kind(value)}: return a verdict, such as next(), or nothing`);
  }
  if (parts[0] !== "next" && !EVENTS[event].decides) {
    throw about(handler, `${name} returned ${parts[0]}, but nobody waits for a verdict at ${event}`);
  }
  if (parts[0] !== "answer" || EVENTS[event].answer === undefined) return parts;
  const fits = fitted(parts, EVENTS[event].answer, () => host.leg().recipients);
  if (typeof fits === "string") throw about(handler, `${name} returned an answer that is none at ${event}: it ${fits}`);
  return fits;
}

// The script's own test; false means that it failed.
export function test() {
  running = undefined;
  if (selfTest === undefined) return undefined;
  nextCall();
  renew();
  running = { event: "selfTest", handler: selfTest };
  return selfTest(context);
}

export function tested(value) {
  if (value === false) throw about(selfTest, "selfTest returned false");
}

// What can't be waited for, as an error.
export function stuck() {
  const words = "is waiting for a promise that nothing can settle";
  if (running === undefined) return at("", `the script ${words}`);
  return about(running.handler, `${running.handler.name || camel(running.event)} ${words}`);
}

// Ends a call, however it went: what belonged to it is no longer available.
export function end() {
  nextCall();
  quiet();
  renew();
  running = undefined;
}

// The place of the function that is running.
export function whereabouts() {
  if (running === undefined) return undefined;
  return place(running.handler);
}

// QuickJS counts the columns of functions from zero in the first line, and from one in all others.
function place({ fileName, lineNumber, columnNumber }) {
  return `${fileName}:${lineNumber}:${lineNumber === 1 ? columnNumber + 1 : columnNumber}`;
}
