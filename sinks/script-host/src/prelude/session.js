// The session and its client, and two subjects that belong to a session: reply and excess.

import { closed, count, currentCall, deepFreeze, done, host, json, live, propertyName, text } from "mailsluice:guard.js";

// Where a session or message comes from.
export class Client {
  #origin = deepFreeze(host.origin());

  constructor() {
    Object.freeze(this);
  }

  get ip() {
    return this.#origin.ip;
  }

  get name() {
    return this.#origin.name;
  }

  get helo() {
    return this.#origin.helo;
  }

  get user() {
    return this.#origin.user;
  }

  get tls() {
    return this.#origin.tls;
  }

  get listener() {
    return this.#origin.listener;
  }

  get role() {
    return this.#origin.role;
  }
}
closed(Client, "client");

export class Session {
  #call = currentCall();
  #client;

  constructor() {
    Object.freeze(this);
  }

  #live() {
    live(this.#call, "session");
  }

  get id() {
    this.#live();
    return host.sessionId();
  }

  get client() {
    this.#live();
    this.#client ??= new Client();
    return this.#client;
  }

  get door() {
    this.#live();
    return host.origin().door;
  }

  property(name) {
    this.#live();
    const value = host.sessionProperty(propertyName(name));
    return value === undefined ? undefined : JSON.parse(value);
  }

  setProperty(name, value) {
    this.#live();
    done(host.sessionSetProperty(text(name, "the name of a property"), json(value, `property ${name}`)));
  }

  delay(milliseconds) {
    this.#live();
    host.sessionDelay(count(milliseconds, "the milliseconds of session.delay", 0, 60_000));
  }

  limitMessageSize(octets) {
    this.#live();
    host.sessionLimitMessageSize(count(octets, "the octets of session.limitMessageSize"));
  }

  limitRecipients(number) {
    this.#live();
    host.sessionLimitRecipients(count(number, "the number of session.limitRecipients", 0, 0xffffffff));
  }

  setGreeting(words) {
    this.#live();
    host.sessionSetGreeting(text(words, "the text of session.setGreeting"));
  }

  addKeyword(keyword) {
    this.#live();
    host.sessionAddKeyword(text(keyword, "the keyword of session.addKeyword"));
  }

  removeKeyword(keyword) {
    this.#live();
    host.sessionRemoveKeyword(text(keyword, "the keyword of session.removeKeyword"));
  }
}
closed(Session, "session");

export class Reply {
  #call = currentCall();
  #reply = host.outgoing();
  #message;

  constructor(message) {
    this.#message = message;
    Object.freeze(this);
  }

  get code() {
    return this.#reply.code;
  }

  get status() {
    return this.#reply.status;
  }

  get text() {
    return this.#reply.text;
  }

  get message() {
    return this.#message;
  }

  setText(words) {
    live(this.#call, "reply");
    host.outgoingSetText(text(words, "the text of reply.setText"));
  }
}
closed(Reply, "reply", { text: "reply.setText(text)" });

export class Excess {
  #excess = host.excess();
  #message;

  constructor(message) {
    this.#message = message;
    Object.freeze(this);
  }

  get size() {
    return this.#excess.size;
  }

  get declared() {
    return this.#excess.declared;
  }

  get message() {
    return this.#message;
  }
}
closed(Excess, "excess");
