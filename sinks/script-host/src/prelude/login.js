// Logging in: what the client has presented, and what a script answers to it.

import { closed, host, kind, octets, options, text } from "mailsluice:guard.js";

const NO_REPLY = [0, 0, 0, 0];
// By these members such answers are known.
export const LOGGED = ["user", "challenge"];

export class Credentials {
  #credentials = host.credentials();

  constructor() {
    Object.freeze(this);
  }

  get mechanism() {
    return this.#credentials.mechanism;
  }

  get user() {
    return this.#credentials.user;
  }

  get authzid() {
    return this.#credentials.authzid;
  }

  get proof() {
    return this.#credentials.proof;
  }

  get password() {
    return this.#credentials.password;
  }

  get token() {
    return this.#credentials.token;
  }

  get step() {
    return this.#credentials.step;
  }

  get octets() {
    return this.#credentials.octets;
  }
}
closed(Credentials, "credentials");

// The parts of such an answer, as `answerOf` makes them.
export function logged(value) {
  const { user, senders, challenge } = options(value, "answer", [...LOGGED, "senders"]);
  if ("challenge" in value) {
    if ("user" in value || "senders" in value) throw new TypeError("answer takes a user or a challenge, not both");
    return [...NO_REPLY, "", undefined, "challenge", octets(challenge, "the challenge of answer")];
  }
  if (senders !== undefined && !Array.isArray(senders)) {
    throw new TypeError(`the senders of answer must be a list, not ${kind(senders)}`);
  }
  const addresses = senders?.map((each) => text(each, "a sender of answer"));
  return [...NO_REPLY, text(user, "the user of answer"), undefined, "identity", addresses];
}
