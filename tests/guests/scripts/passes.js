// Answers each of the transport's events as it should be answered.
export function transportPreCategorize(message) {
  message.setHeader("X-Seen", "pre");
}

export function transportCategorize(rcpt) {
  rcpt.rewrite("list@example.com");
  rcpt.message.addRecipient("archive@example.com");
  return answer({ members: ["a@example.org", "b@example.org"], sender: "owner@example.com" });
}

export function transportPostCategorize(message) {
  message.removeRecipient("carol@example.com");
}

export function transportRoute(leg) {
  return answer([`smtp:relay.${leg.domain}:25`, "mx:example.net", "local"]);
}

export function transportDeliver(leg) {
  const [first, ...others] = leg.recipients;
  return answer([{ recipient: first, text: `Kept for ${first.address}` }, ...others.map((recipient) => ({ recipient, code: 450 }))]);
}

export function transportDelivered(leg) {
  throw new Error(`delivered to ${leg.host}, attempt ${leg.attempt}`);
}

export function transportDeferred(leg) {
  if (leg.attempt > 2) return reject(`Given up after: ${leg.reply.text}`, { status: "5.4.7" });
}

export function transportFailed(leg) {
  return hold(`failed with ${leg.reply.code}`);
}

export function transportDsn() {
  return discard();
}

export function dnsResolve(question) {
  return answer(question.type === "MX" ? "10 mx.example.net." : []);
}

export function track(step) {
  throw new Error(`told of ${step.step}`);
}

export function outConnect(outbound) {
  outbound.connectFrom("192.0.2.9");
  outbound.helloAs("out.example.com");
  outbound.setTlsPolicy("required");
  outbound.authenticate("me", "hush", { mechanism: "PLAIN" });
}

export function outMessage(outbound) {
  outbound.message.addHeader("X-Signed-For", outbound.domain, { top: true });
}

export function outMail(outbound) {
  if (outbound.attempt > 2) outbound.message.setHeader("X-Late", "yes");
  outbound.addParameter(`XTRY=${outbound.attempt}`);
  outbound.insertCommand("XHELLO");
}

export function outReply(outbound) {
  if (outbound.verb === "XHELLO") return answer(outbound.nextStates.includes("hello") ? "hello" : "repeat");
  if (outbound.mayRefuse) return defer();
  return answer("hello");
}

export function outQuit(leg, ctx) {
  ctx.session.setProperty("left", leg.host);
}
