// What the events of the transport are about: a leg of the message's way, what our client is about to do on it, a question of the DNS, a step.

import { closed, deepFreeze, done, host, options, text } from "mailsluice:guard.js";

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

  // The message shows those of the leg only. At the end of a connection there is none.
  get recipients() {
    return this.#message === undefined ? Object.freeze([]) : this.#message.recipients;
  }

  get message() {
    return this.#message;
  }
}
closed(Leg, "leg");

// What our client is about to do at a next hop, or has heard there.
export class Outbound {
  #leg;

  constructor(message) {
    this.#leg = new Leg(message);
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

  get recipients() {
    return this.#leg.recipients;
  }

  get message() {
    return this.#leg.message;
  }

  get verb() {
    return host.outboundVerb();
  }

  get nextStates() {
    return Object.freeze(host.outboundNextStates());
  }

  get mayRefuse() {
    return host.outboundMayRefuse();
  }

  connectFrom(address) {
    done(host.outboundConnectFrom(text(address, "the address")));
  }

  helloAs(name) {
    done(host.outboundHelloAs(text(name, "the name")));
  }

  setTlsPolicy(policy) {
    done(host.outboundTls(text(policy, "the policy")));
  }

  authenticate(user, secret, given) {
    const { mechanism } = options(given, "authenticate", ["mechanism"]);
    const named = mechanism === undefined ? undefined : text(mechanism, "the mechanism");
    host.outboundAuthenticate(text(user, "the user"), text(secret, "the secret"), named);
  }

  addParameter(words) {
    done(host.outboundParameter(text(words, "the parameter")));
  }

  insertCommand(line) {
    done(host.outboundInsert(text(line, "the command")));
  }

  replaceCommand(line) {
    done(host.outboundReplace(text(line, "the command")));
  }
}
closed(Outbound, "outbound");

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
