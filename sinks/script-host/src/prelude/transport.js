// What the events of the transport are about: a leg of the message's way, a question of the DNS, a step.

import { closed, deepFreeze, host } from "mailsluice:guard.js";

export class Leg {
  #leg = host.leg();
  #message;

  constructor(message) {
    this.#message = message;
    if (this.#leg.reply !== undefined) Object.freeze(this.#leg.reply);
    Object.freeze(this);
  }

  get domain() {
    return this.#leg.domain;
  }

  get host() {
    return this.#leg.host;
  }

  get attempt() {
    return this.#leg.attempt;
  }

  get reply() {
    return this.#leg.reply;
  }

  // The message shows those of the leg only.
  get recipients() {
    return this.#message.recipients;
  }

  get message() {
    return this.#message;
  }
}
closed(Leg, "leg");

export class Question {
  #question = host.question();

  constructor() {
    Object.freeze(this);
  }

  get name() {
    return this.#question.name;
  }

  get type() {
    return this.#question.type;
  }
}
closed(Question, "question");

// As the log of messages has it.
export function step() {
  return deepFreeze(JSON.parse(host.step()));
}
