// `ctx`: the sink's configuration, the session, and what the server does for a sink.

import { closed, count, deepFreeze, done, host, json, kind, octets, optionalText, options, text } from "mailsluice:guard.js";
import { Session } from "mailsluice:session.js";

let granted = {};
let config;
let session;

// What the manifest grants, as the natives tell it.
export function grant(grants) {
  granted = grants;
}

// Forgets what belonged to the call before.
export function renew() {
  session = undefined;
}

export function need(capability, what, how = "true") {
  if (!granted[capability]) throw new Error(`${what} needs \`allow.${capability} = ${how}\``);
}

class Context {
  constructor() {
    Object.freeze(this);
  }

  get config() {
    config ??= deepFreeze(JSON.parse(host.config()));
    return config;
  }

  get session() {
    if (!host.hasSession()) throw new Error("there is no session at this event");
    session ??= new Session();
    return session;
  }

  get kv() {
    need("kv", "kv");
    return kv;
  }

  get dns() {
    need("dns", "dns");
    return dns;
  }

  get submit() {
    need("submit", "submit");
    return submit;
  }

  get metrics() {
    need("metrics", "metrics");
    return metrics;
  }

  get queue() {
    need("queue", "queue");
    return queue;
  }

  table(name) {
    return new Table(text(name, "the name of a table"));
  }
}

class Table {
  #name;

  constructor(name) {
    this.#name = name;
    Object.freeze(this);
  }

  get(key) {
    return host.tableLookup(this.#name, text(key, "the key of a table"));
  }

  has(key) {
    return this.get(key) !== undefined;
  }
}

class Kv {
  get(key) {
    return value(host.kvGet(named(key)));
  }

  set(key, value, given) {
    host.kvSet(named(key), written(value, "the value of kv.set"), seconds(given, "kv.set"));
  }

  delete(key) {
    host.kvRemove(named(key));
  }

  increment(key, by = 1, given) {
    const step = count(by, "the step of kv.increment", Number.MIN_SAFE_INTEGER);
    return host.kvIncrement(named(key), step, seconds(given, "kv.increment"));
  }

  // Nothing as `expected` or `value` means that the key is absent.
  compareAndSet(key, expected, value, given) {
    const octets = (each, what) => (each === undefined || each === null ? undefined : written(each, what));
    return host.kvCompareAndSet(
      named(key),
      octets(expected, "the expected value of kv.compareAndSet"),
      octets(value, "the value of kv.compareAndSet"),
      seconds(given, "kv.compareAndSet"),
    );
  }
}

function named(key) {
  return text(key, "the key of kv");
}

// Values are kept as JSON, so that strings and other values come back as what they were, and counters are numbers.
function written(value, what) {
  if (value === undefined || value === null) throw new TypeError(`${what} must be a JSON value, not ${kind(value)}`);
  return json(value, what);
}

// What another program of this sink's has kept need not be JSON.
function value(kept) {
  if (kept === undefined) return undefined;
  try {
    return JSON.parse(kept);
  } catch {
    return kept;
  }
}

function seconds(given, what) {
  const { ttl } = options(given, what, ["ttl"]);
  return ttl === undefined ? undefined : count(ttl, `the seconds of \`ttl\` of ${what}`, 1);
}

class Dns {
  // A promise of the records in their presentation form; an empty list if there are none.
  async lookup(name, type = "A") {
    return host.dnsLookup(text(name, "the name of dns.lookup"), text(type, "the type of dns.lookup").toLowerCase());
  }
}

class Metrics {
  count(name, by = 1) {
    host.metricsCount(text(name, "the name of a metric"), count(by, "the number of metrics.count"));
  }

  gauge(name, value) {
    if (typeof value !== "number") throw new TypeError(`the value of metrics.gauge must be a number, not ${kind(value)}`);
    host.metricsGauge(text(name, "the name of a metric"), value);
  }
}

// Domains, or with an `@` in front also those below them; one or a list.
function domains(given, what) {
  return (Array.isArray(given) ? given : [given]).map((each) => text(each, `a domain of ${what}`));
}

class Queue {
  // A promise of how many messages are tried at once.
  async start(given) {
    return host.queueStart(domains(given, "queue.start"));
  }

  waiting(given) {
    return host.queueWaiting(domains(given, "queue.waiting"));
  }
}

// A new message: header, blank line and body as a text, whose line ends may be of any kind, or as octets.
function submit(message) {
  const { sender, recipients, content } = options(message, "submit", ["sender", "recipients", "content"]);
  if (!Array.isArray(recipients) || recipients.length === 0) throw new TypeError("submit needs a list of recipients");
  const lines = typeof content === "string" ? content.replace(/\r\n|\r|\n/g, "\r\n") : content;
  done(
    host.submit(
      optionalText(sender, "the sender of submit") || undefined,
      recipients.map((each) => text(String(each), "a recipient of submit")),
      octets(lines, "the content of submit"),
    ),
  );
}

closed(Context, "ctx");
closed(Table, "table");
closed(Kv, "kv");
closed(Dns, "dns");
closed(Metrics, "metrics");
closed(Queue, "queue");
const kv = Object.freeze(new Kv());
const dns = Object.freeze(new Dns());
const metrics = Object.freeze(new Metrics());
const queue = Object.freeze(new Queue());
Object.freeze(submit);
export const context = new Context();
