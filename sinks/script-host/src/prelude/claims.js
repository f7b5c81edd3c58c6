// `export const claims`: what a script adds to the protocol.

import { kind, meant } from "mailsluice:guard.js";
import { rejection } from "mailsluice:reply.js";

const LISTS = ["mailParams", "rcptParams", "authMechanisms", "keywords"];
const VERB = ["name", "keyword", "tls", "users", "clients", "early", "refusal"];

// The verbs, and then the lists of names. `wrong` makes the error.
export function claimed(claims = {}, wrong) {
  known(claims, "claims", ["verbs", ...LISTS], wrong);
  const verbs = claims.verbs ?? [];
  if (!Array.isArray(verbs)) throw wrong(`claims.verbs must be a list, not ${kind(verbs)}`);
  return [verbs.map((each) => verb(each, wrong)), ...LISTS.map((name) => texts(claims[name], `claims.${name}`, wrong))];
}

// A verb by its name, or with what is said of it: name, keyword, whether only under TLS, users, clients, whether it is announced early,
// and the parts of the refusal.
function verb(value, wrong) {
  if (typeof value === "string") return [value, undefined, false, [], [], false, undefined];
  const what = "claims.verbs[]";
  known(value, what, VERB, wrong);
  const { name, keyword, tls = false, users, clients, early = false, refusal } = value;
  if (typeof name !== "string") throw wrong(`${what} needs a name, such as { name: "XPING" }`);
  if (keyword !== undefined && typeof keyword !== "string") throw wrong(`the keyword of ${name} must be a text, not ${kind(keyword)}`);
  for (const [word, flag] of Object.entries({ tls, early })) {
    if (typeof flag !== "boolean") throw wrong(`${word} of ${name} must be true or false, not ${kind(flag)}`);
  }
  const lists = [texts(users, `the users of ${name}`, wrong), texts(clients, `the clients of ${name}`, wrong)];
  return [name, keyword, tls, ...lists, early, refused(refusal, name, wrong)];
}

function refused(refusal, name, wrong) {
  if (refusal === undefined) return undefined;
  known(refusal, "claims.verbs[].refusal", ["code", "status", "text"], wrong);
  const { text, ...rest } = refusal;
  try {
    return rejection(text, rest, `the refusal of ${name}`);
  } catch (error) {
    throw wrong(error.message);
  }
}

function known(value, what, names, wrong) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(`${what} must be an object, not ${kind(value)}`);
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw wrong(`${what}.${name} does not exist${meant(name, names)}`);
  }
}

function texts(list = [], what, wrong) {
  if (!Array.isArray(list) || list.some((each) => typeof each !== "string")) throw wrong(`${what} must be a list of texts`);
  return list;
}
