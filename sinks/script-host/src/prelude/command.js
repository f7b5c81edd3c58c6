// Commands: what the client has said, and those answers to it that ask for more, swap the roles, or stand for another command.

import { closed, count, host, kind, options, text } from "mailsluice:guard.js";
import { reply } from "mailsluice:reply.js";

// By these members such answers are known.
export const ASKED = ["line", "octets", "turn", "instead"];

export class Command {
  #command = host.command();
  #message;
  #further;

  constructor(message) {
    this.#message = message;
    Object.freeze(this);
  }

  get verb() {
    return this.#command.verb;
  }

  get argument() {
    return this.#command.argument;
  }

  // What has come since, because the sink has asked for it.
  get further() {
    if (this.#command.further === undefined) return undefined;
    this.#further ??= new Further(this.#command.further);
    return this.#further;
  }

  get message() {
    return this.#message;
  }
}
closed(Command, "command");

class Further {
  #further;

  constructor(further) {
    this.#further = further;
    Object.freeze(this);
  }

  get step() {
    return this.#further.step;
  }

  get octets() {
    return this.#further.octets;
  }

  get text() {
    return host.decode(this.#further.octets, "utf-8", false);
  }
}
closed(Further, "further");

// The parts of such an answer, as `answerOf` makes them.
export function asked(value) {
  const { line, octets, turn, instead, text: words } = options(value, "answer", ["code", "status", "text", ...ASKED]);
  const given = ASKED.filter((name) => name in value);
  if (given.length > 1) throw new TypeError(`answer takes one of ${given.join(" and ")}, not both`);
  const said = text(words ?? "", "the text of answer");
  if (given[0] === "instead") {
    if (Object.keys(value).length > 1) throw new TypeError("answer takes no reply beside `instead`");
    return [0, 0, 0, 0, text(instead, "the command of answer"), undefined, "instead"];
  }
  if (given[0] === "turn") {
    if (!Array.isArray(turn)) throw new TypeError(`the domains of \`turn\` must be a list, not ${kind(turn)}`);
    const domains = turn.map((each) => text(each, "a domain of `turn`"));
    return [...reply("answer", said, value, [2], { 2: 250 }), undefined, "turn", domains];
  }
  const bound = count(line ?? octets, `the number of \`${given[0]}\``, 0, 0xffffffff);
  const code = value.code ?? (given[0] === "line" ? 334 : 354);
  return [...reply("answer", said, { ...value, code }, [3], {}), bound, given[0]];
}
