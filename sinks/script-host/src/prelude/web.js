// What scripts know from the web: fetch, TextEncoder and TextDecoder, structuredClone. Not all of each: what the server's HTTP can
// do, UTF-8 and what mail needs beside it, and values without prototypes of their own.

import { closed, count, host, octets, options, text } from "mailsluice:guard.js";
import { need } from "mailsluice:context.js";
import { Message } from "mailsluice:message.js";

class Headers {
  #fields;

  constructor(fields) {
    this.#fields = fields;
    Object.freeze(this);
  }

  get(name) {
    const wanted = text(name, "the name of a header field").toLowerCase();
    const found = this.#fields.filter(([each]) => each.toLowerCase() === wanted);
    return found.length === 0 ? null : found.map(([, value]) => value).join(", ");
  }

  has(name) {
    return this.get(name) !== null;
  }

  *entries() {
    for (const [name, value] of this.#fields) yield [name.toLowerCase(), value];
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

class Response {
  #status;
  #headers;
  #body;

  constructor([status, fields, body]) {
    this.#status = status;
    this.#headers = new Headers(fields);
    this.#body = body;
    Object.freeze(this);
  }

  get status() {
    return this.#status;
  }

  get ok() {
    return this.#status >= 200 && this.#status < 300;
  }

  get headers() {
    return this.#headers;
  }

  async text() {
    return host.decode(this.#body, "utf-8", false);
  }

  async json() {
    return JSON.parse(host.decode(this.#body, "utf-8", false));
  }

  async bytes() {
    return this.#body;
  }

  async arrayBuffer() {
    return this.#body.buffer;
  }
}
closed(Headers, "headers");
closed(Response, "response");

async function fetch(url, given) {
  need("http", "fetch", '["https://…"]');
  const { method, headers, body, timeout } = options(given, "fetch", ["method", "headers", "body", "timeout"]);
  const fields = Object.entries(headers ?? {}).map(([name, value]) => [name, text(value, `the header field ${name} of fetch`)]);
  return new Response(
    host.fetch(
      text(method ?? (body === undefined ? "GET" : "POST"), "the method of fetch"),
      String(url).toWellFormed(),
      fields,
      body instanceof Message ? true : body === undefined || body === null ? undefined : octets(body, "the body of fetch"),
      timeout === undefined ? undefined : count(timeout, "the milliseconds of `timeout` of fetch", 1, 0xffffffff),
    ),
  );
}

class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(words = "") {
    return host.encode(String(words).toWellFormed());
  }
}

class TextDecoder {
  #charset;
  #fatal;

  constructor(charset = "utf-8", { fatal = false } = {}) {
    this.#charset = String(charset).toLowerCase();
    this.#fatal = Boolean(fatal);
    // So that an unknown one is refused here.
    host.decode(new Uint8Array(), this.#charset, false);
  }

  get encoding() {
    return this.#charset;
  }

  decode(data = new Uint8Array()) {
    return host.decode(octets(data, "what TextDecoder decodes"), this.#charset, this.#fatal);
  }
}

function structuredClone(value) {
  const seen = new Map();
  const copy = (from) => {
    if (typeof from === "function" || typeof from === "symbol") throw new TypeError("structuredClone can't copy functions and symbols");
    if (typeof from !== "object" || from === null) return from;
    if (seen.has(from)) return seen.get(from);
    const keep = (to) => (seen.set(from, to), to);
    if (from instanceof Date) return keep(new Date(from));
    if (from instanceof RegExp) return keep(new RegExp(from.source, from.flags));
    if (from instanceof ArrayBuffer) return keep(from.slice(0));
    if (ArrayBuffer.isView(from)) return keep(from.slice());
    if (from instanceof Map) {
      const to = keep(new Map());
      from.forEach((each, key) => to.set(copy(key), copy(each)));
      return to;
    }
    if (from instanceof Set) {
      const to = keep(new Set());
      from.forEach((each) => to.add(copy(each)));
      return to;
    }
    const to = keep(Array.isArray(from) ? [] : {});
    for (const key of Object.keys(from)) to[key] = copy(from[key]);
    return to;
  };
  return copy(value);
}

Object.assign(globalThis, { fetch, TextEncoder, TextDecoder, structuredClone });
Math.random = () => host.random();
