// One recipient: the one at hand (`inRcpt`, `transportCategorize`), or one of a message's.

import { closed, currentCall, done, host, json, live, propertyName, text } from "mailsluice:guard.js";
import { deferral, rejection } from "mailsluice:reply.js";

// As the natives number it: there is no place in the envelope yet.
export const AT_HAND = -1;

export class Recipient {
  #call = currentCall();
  #index;
  #message;

  constructor(index, message) {
    this.#index = index;
    this.#message = message;
    Object.freeze(this);
  }

  #at() {
    live(this.#call, "rcpt");
    return this.#index;
  }

  get address() {
    return host.recipientAddress(this.#at());
  }

  get original() {
    const index = this.#at();
    return host.recipientOriginal(index) ?? host.recipientAddress(index);
  }

  get standing() {
    return host.recipientStanding(this.#at());
  }

  // Its place in the envelope; nothing for the one at hand.
  get place() {
    return host.recipientPlace(this.#at());
  }

  get matched() {
    return host.recipientMatched(this.#at());
  }

  // The transaction so far, or the message that it is a recipient of.
  get message() {
    this.#at();
    return this.#message;
  }

  // A parameter of RCPT that a sink has claimed.
  parameter(keyword) {
    return host.recipientParameter(this.#at(), text(keyword, "the keyword of a parameter"));
  }

  property(name) {
    const value = host.recipientProperty(this.#at(), propertyName(name));
    return value === undefined ? undefined : JSON.parse(value);
  }

  setProperty(name, value) {
    done(host.recipientSetProperty(this.#at(), text(name, "the name of a property"), json(value, `property ${name}`)));
  }

  rewrite(address) {
    done(host.recipientRewrite(this.#at(), text(address, "the address of rewrite")));
  }

  vouch() {
    host.recipientVouch(this.#at());
  }

  remove() {
    host.recipientRemove(this.#at());
  }

  reject(words, given) {
    host.recipientReject(this.#at(), ...rejection(words, given, "rcpt.reject"));
  }

  defer(words, given) {
    host.recipientDefer(this.#at(), ...deferral(words, given, "rcpt.defer"));
  }

  discard() {
    host.recipientDiscard(this.#at());
  }

  hold(reason) {
    host.recipientHold(this.#at(), reason === undefined ? "held by the script" : text(reason, "the reason of hold"));
  }

  toString() {
    return this.address;
  }
}

closed(Recipient, "rcpt", { address: "rcpt.rewrite(address)" });
