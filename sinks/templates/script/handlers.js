//@ in.connect
// `in.connect`
export function inConnect(session, ctx) {
  console.log(`connected from ${session.client.ip}`);
}

//@ in.helo
// `in.helo`
export function inHelo(command, ctx) {
  console.log(`${command.verb} ${command.argument}`);
}

//@ in.tls
// `in.tls`
export function inTls(session, ctx) {
  console.log(`${session.client.tls.version} from ${session.client.ip}`);
}

//@ in.auth
// `in.auth`
export function inAuth(credentials, ctx) {
  console.log(`${credentials.mechanism} for ${credentials.user}`);
}

//@ in.mail
// `in.mail`
export function inMail(message, ctx) {
  console.log(`mail from ${message.sender}`);
}

//@ in.rcpt
// `in.rcpt`
export function inRcpt(rcpt, ctx) {
  console.log(`mail to ${rcpt.address}`);
}

//@ in.data
// `in.data`
export function inData(message, ctx) {
  console.log(`data for ${message.recipients.length}`);
}

//@ in.headers
// `in.headers`
export function inHeaders(message, ctx) {
  console.log(`subject ${message.subject}`);
}

//@ in.message
// `in.message`
export function inMessage(message, ctx) {
  console.log(`message of ${message.size} octets`);
}

//@ in.command
// `in.command`
export function inCommand(command, ctx) {
  console.log(`${command.verb} ${command.argument}`);
}

//@ in.reply
// `in.reply`
export function inReply(reply, ctx) {
  console.log(`reply ${reply.code}`);
}

//@ in.disconnect
// `in.disconnect`
export function inDisconnect(session, ctx) {
  console.log(`gone: ${session.client.ip}`);
}

//@ transport.oversize
// `transport.oversize`
export function transportOversize(excess, ctx) {
  console.log(`too large: ${excess.size}`);
}

//@ transport.submit
// `transport.submit`
export function onArrival(message, ctx) {
  console.log(`from ${message.sender}: ${message.subject}`);
}

//@ transport.pre-categorize
// `transport.pre-categorize`
export function transportPreCategorize(message, ctx) {
  console.log(`a pass begins: ${message.subject}`);
}

//@ transport.categorize
// `transport.categorize`
export function transportCategorize(rcpt, ctx) {
  console.log(`who is ${rcpt.address}?`);
}

//@ transport.post-categorize
// `transport.post-categorize`
export function transportPostCategorize(message, ctx) {
  console.log(`resolved: ${message.recipients.length}`);
}

//@ transport.route
// `transport.route`
export function transportRoute(leg, ctx) {
  console.log(`where does ${leg.domain} go?`);
}

//@ transport.deliver
// `transport.deliver`
export function transportDeliver(leg, ctx) {
  console.log(`due: ${leg.recipients.length}`);
}

//@ transport.delivered
// `transport.delivered`
export function transportDelivered(leg, ctx) {
  console.log(`delivered to ${leg.host}`);
}

//@ transport.deferred
// `transport.deferred`
export function transportDeferred(leg, ctx) {
  console.log(`deferred: ${leg.reply?.text}`);
}

//@ transport.failed
// `transport.failed`
export function transportFailed(leg, ctx) {
  console.log(`failed: ${leg.reply?.text}`);
}

//@ transport.dsn
// `transport.dsn`
export function transportDsn(message, ctx) {
  console.log(`a notification: ${message.subject}`);
}

//@ out.connect
// `out.connect`
export function outConnect(outbound, ctx) {
  console.log(`to ${outbound.host}, attempt ${outbound.attempt}`);
}

//@ out.helo
// `out.helo`
export function outHelo(outbound, ctx) {
  console.log(`${outbound.verb} to ${outbound.host}`);
}

//@ out.message
// `out.message`
export function outMessage(outbound, ctx) {
  // outbound.message.addHeader("X-Checked", "yes", { top: true });
  console.log(`${outbound.message.size} octets to ${outbound.host}`);
}

//@ out.mail
// `out.mail`
export function outMail(outbound, ctx) {
  // outbound.addParameter("X-TENANT=7");
  console.log(`from ${outbound.message.sender} to ${outbound.host}`);
}

//@ out.rcpt
// `out.rcpt`
export function outRcpt(outbound, ctx) {
  console.log(`${outbound.verb} at ${outbound.host}`, outbound.recipients.map((rcpt) => rcpt.address));
}

//@ out.data
// `out.data`
export function outData(outbound, ctx) {
  console.log(`${outbound.verb} to ${outbound.host}`);
}

//@ out.reply
// `out.reply`
export function outReply(outbound, ctx) {
  console.log(`${outbound.host} answers ${outbound.verb}: ${outbound.reply.code} ${outbound.reply.text}`);
}

//@ out.quit
// `out.quit`
export function outQuit(leg, ctx) {
  console.log(`leaving ${leg.host}`);
}

//@ out.disconnect
// `out.disconnect`
export function outDisconnect(leg, ctx) {
  console.log(`${leg.host} is left`);
}

//@ dns.resolve
// `dns.resolve`
export function dnsResolve(question, ctx) {
  console.log(`${question.type} of ${question.name}?`);
}

//@ track
// `track`
export function track(step, ctx) {
  console.log(step);
}

//@ server.start
// `server.start`
export function serverStart(ctx) {
  console.log("the server has started");
}

//@ server.reload
// `server.reload`
export function serverReload(ctx) {
  console.log("another generation is in force");
}

//@ server.shutdown
// `server.shutdown`
export function serverShutdown(ctx) {
  console.log("the server is about to stop");
}
