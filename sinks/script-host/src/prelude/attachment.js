// The attachments of a message.

import { closed, currentCall, host, live, octets, options, text } from "mailsluice:guard.js";

class Attachment {
  #call = currentCall();
  #part;

  constructor(part) {
    this.#part = part;
    Object.freeze(this);
  }

  #live() {
    live(this.#call, "attachment");
    return this.#part.index;
  }

  get name() {
    return this.#part.name ?? "";
  }

  get type() {
    return this.#part.type;
  }

  get size() {
    return this.#part.size;
  }

  bytes() {
    return host.partOctets(this.#live());
  }

  text() {
    return host.decode(this.bytes(), this.#part.charset ?? "utf-8", false);
  }

  remove() {
    host.partRemove(this.#live());
  }

  // Other octets under the same name and type, or another file in its place.
  replace(data, given) {
    const index = this.#live();
    const { name, type } = options(given, "attachment.replace", ["name", "type"]);
    if (name === undefined && type === undefined) {
      host.partReplace(index, octets(data, "the data of attachment.replace"));
    } else {
      const file = { name: name ?? this.name, type: type ?? this.type, data };
      host.partReplaceFile(index, ...attachmentParts(file, "attachment.replace"));
    }
  }
}

closed(Attachment, "attachment");

export function attachmentsOf() {
  return Object.freeze(host.messageParts().filter((part) => part.attachment).map((part) => new Attachment(part)));
}

// Name, type and octets of a new file.
export function attachmentParts(file, what) {
  if (typeof file !== "object" || file === null) throw new TypeError(`${what} needs { name, type, data }`);
  const { name, type, data } = options(file, what, ["name", "type", "data"]);
  return [text(name, `the name of ${what}`), text(type ?? "application/octet-stream", `the type of ${what}`), octets(data, `the data of ${what}`)];
}
