// The message, or the transaction on the way to one: `message`, `rcpt.message`, `command.message`.

import {
  closed, count, currentCall, done, host, json, kind, live, octets, optionalText, options, propertyName, text,
} from "mailsluice:guard.js";
import { attachmentParts, attachmentsOf } from "mailsluice:attachment.js";
import { AT_HAND, Recipient } from "mailsluice:recipient.js";
import { Client } from "mailsluice:session.js";

// The most octets that `raw` makes a string of.
const RAW_MAX = 8 * 1024 * 1024;

export class Message {
  #call = currentCall();
  #client;
  #recipients;
  #attachments;

  constructor() {
    Object.freeze(this);
  }

  #live() {
    live(this.#call, "message");
  }

  get id() {
    this.#live();
    return host.messageId();
  }

  get sender() {
    this.#live();
    return host.messageSender() ?? null;
  }

  get recipients() {
    this.#live();
    this.#recipients ??= Object.freeze(Array.from({ length: host.recipientCount() }, (_, index) => new Recipient(index, this)));
    return this.#recipients;
  }

  get subject() {
    return this.header("Subject") ?? "";
  }

  get size() {
    this.#live();
    return host.messageSize();
  }

  get text() {
    this.#live();
    return host.messageText() ?? "";
  }

  get html() {
    this.#live();
    return host.messageHtml() ?? "";
  }

  get attachments() {
    this.#live();
    this.#attachments ??= attachmentsOf();
    return this.#attachments;
  }

  get raw() {
    this.#live();
    const size = host.messageBodySize();
    if (size > RAW_MAX) throw new RangeError(`message.raw is for bodies of up to ${RAW_MAX} octets, and this one has ${size}`);
    return host.messageRaw();
  }

  get client() {
    this.#live();
    this.#client ??= new Client();
    return this.#client;
  }

  header(name) {
    this.#live();
    return host.messageHeader(text(name, "the name of a header field"));
  }

  headers(name) {
    this.#live();
    return host.messageHeaders(text(name, "the name of a header field"));
  }

  property(name) {
    this.#live();
    const value = host.messageProperty(propertyName(name));
    return value === undefined ? undefined : JSON.parse(value);
  }

  addHeader(name, value, given) {
    this.#live();
    const { top } = options(given, "message.addHeader", ["top"]);
    done(host.messageAddHeader(text(name, "the name of a header field"), text(value, `the value of ${name}`), Boolean(top)));
  }

  setHeader(name, value) {
    this.#live();
    done(host.messageSetHeader(text(name, "the name of a header field"), text(value, `the value of ${name}`)));
  }

  removeHeader(name) {
    this.#live();
    host.messageRemoveHeader(text(name, "the name of a header field"));
  }

  setSender(address) {
    this.#live();
    done(host.messageSetSender(optionalText(address, "the address of setSender") || undefined));
  }

  addRecipient(address) {
    this.#live();
    done(host.messageAddRecipient(text(address, "the address of addRecipient")));
  }

  // Whether there was one of that address.
  removeRecipient(address) {
    const wanted = folded(text(String(address), "the address of removeRecipient"));
    const found = this.recipients.filter((each) => folded(each.address) === wanted);
    found.forEach((each) => each.remove());
    return found.length > 0;
  }

  // A parameter of MAIL that a sink has claimed.
  parameter(keyword) {
    this.#live();
    return host.messageParameter(text(keyword, "the keyword of a parameter"));
  }

  // Makes these a message of their own.
  split(recipients) {
    this.#live();
    if (!Array.isArray(recipients)) throw new TypeError(`the recipients of split must be a list, not ${kind(recipients)}`);
    const places = recipients.map((each) => (each instanceof Recipient ? each.place : each));
    host.messageSplit(places.map((each) => count(each, "a recipient of split", 0, 0xffffffff)));
  }

  replaceBody(body) {
    this.#live();
    host.messageReplaceBody(octets(body, "the body of replaceBody"));
  }

  prependText(words, html) {
    this.#live();
    host.messagePrependText(text(words, "the text of prependText"), optionalText(html, "the HTML of prependText"));
  }

  appendText(words, html) {
    this.#live();
    host.messageAppendText(text(words, "the text of appendText"), optionalText(html, "the HTML of appendText"));
  }

  replaceText(words, html) {
    this.#live();
    host.messageReplaceText(text(words, "the text of replaceText"), optionalText(html, "the HTML of replaceText"));
  }

  addAttachment(attachment) {
    this.#live();
    host.messageAddAttachment(...attachmentParts(attachment, "message.addAttachment"));
  }

  setProperty(name, value) {
    this.#live();
    done(host.messageSetProperty(text(name, "the name of a property"), json(value, `property ${name}`)));
  }
}

// The domain's case does not count; the local part's may.
function folded(address) {
  const at = address.lastIndexOf("@") + 1;
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

// The recipient of a RCPT.
export function atHand(message) {
  return new Recipient(AT_HAND, message);
}

closed(Message, "message", {
  sender: "message.setSender(address)",
  recipients: "message.addRecipient(address) and message.removeRecipient(address)",
  subject: 'message.setHeader("Subject", text)',
  text: "message.replaceText(text)",
  html: "message.replaceText(text, html)",
  attachments: "message.addAttachment(attachment)",
  raw: "message.replaceBody(body)",
});
