//@ in.connect
// `in.connect`
export const inConnect = {
  handle(session) {
    write("debug", "in.connect");
    return { tag: "next" };
  },
};

//@ in.helo
// `in.helo`
export const inHelo = {
  handle(command, session) {
    write("debug", "in.helo");
    return { tag: "next" };
  },
};

//@ in.tls
// `in.tls`
export const inTls = {
  handle(session) {
    write("debug", "in.tls");
    return { tag: "next" };
  },
};

//@ in.auth
// `in.auth`
export const inAuth = {
  handle(credentials, session) {
    write("debug", "in.auth");
    return { tag: "next" };
  },
};

//@ in.mail
// `in.mail`
export const inMail = {
  handle(message, session) {
    write("debug", "in.mail");
    return { tag: "next" };
  },
};

//@ in.rcpt
// `in.rcpt`
export const inRcpt = {
  handle(recipient, message, session) {
    write("debug", "in.rcpt");
    return { tag: "next" };
  },
};

//@ in.data
// `in.data`
export const inData = {
  handle(message, session) {
    write("debug", "in.data");
    return { tag: "next" };
  },
};

//@ in.headers
// `in.headers`
export const inHeaders = {
  handle(message, session) {
    write("debug", "in.headers");
    return { tag: "next" };
  },
};

//@ in.message
// `in.message`
export const inMessage = {
  handle(message, session) {
    write("debug", "in.message");
    return { tag: "next" };
  },
};

//@ in.command
// `in.command`
export const inCommand = {
  handle(command, message, session) {
    write("debug", "in.command");
    return { tag: "next" };
  },
};

//@ in.reply
// `in.reply`
export const inReply = {
  handle(reply, message, session) {
    write("debug", "in.reply");
    return { tag: "next" };
  },
};

//@ in.disconnect
// `in.disconnect`
export const inDisconnect = {
  handle(session) {
    write("debug", "in.disconnect");
  },
};

//@ transport.oversize
// `transport.oversize`
export const transportOversize = {
  handle(excess, message, session) {
    write("debug", "transport.oversize");
    return { tag: "next" };
  },
};

//@ transport.submit
// `transport.submit`
export const transportSubmit = {
  handle(message, session) {
    write("debug", "transport.submit");
    return { tag: "next" };
  },
};

//@ transport.pre-categorize
// `transport.pre-categorize`
export const transportPreCategorize = {
  handle(message, session) {
    write("debug", "transport.pre-categorize");
    return { tag: "next" };
  },
};

//@ transport.categorize
// `transport.categorize`
export const transportCategorize = {
  handle(recipient, message, session) {
    write("debug", "transport.categorize");
    return { tag: "next" };
  },
};

//@ transport.post-categorize
// `transport.post-categorize`
export const transportPostCategorize = {
  handle(message, session) {
    write("debug", "transport.post-categorize");
    return { tag: "next" };
  },
};

//@ transport.route
// `transport.route`
export const transportRoute = {
  handle(leg, message, session) {
    write("debug", "transport.route");
    return { tag: "next" };
  },
};

//@ transport.deliver
// `transport.deliver`
export const transportDeliver = {
  handle(leg, message, session) {
    write("debug", "transport.deliver");
    return { tag: "next" };
  },
};

//@ transport.delivered
// `transport.delivered`
export const transportDelivered = {
  handle(leg, message, session) {
    write("debug", "transport.delivered");
  },
};

//@ transport.deferred
// `transport.deferred`
export const transportDeferred = {
  handle(leg, message, session) {
    write("debug", "transport.deferred");
    return { tag: "next" };
  },
};

//@ transport.failed
// `transport.failed`
export const transportFailed = {
  handle(leg, message, session) {
    write("debug", "transport.failed");
    return { tag: "next" };
  },
};

//@ transport.dsn
// `transport.dsn`
export const transportDsn = {
  handle(message, session) {
    write("debug", "transport.dsn");
    return { tag: "next" };
  },
};

//@ out.connect
// `out.connect`
export const outConnect = {
  handle(outbound, message, session) {
    write("debug", "out.connect");
    return { tag: "next" };
  },
};

//@ out.helo
// `out.helo`
export const outHelo = {
  handle(outbound, message, session) {
    write("debug", "out.helo");
    return { tag: "next" };
  },
};

//@ out.message
// `out.message`
export const outMessage = {
  handle(outbound, message, session) {
    write("debug", "out.message");
    return { tag: "next" };
  },
};

//@ out.mail
// `out.mail`
export const outMail = {
  handle(outbound, message, session) {
    write("debug", "out.mail");
    return { tag: "next" };
  },
};

//@ out.rcpt
// `out.rcpt`
export const outRcpt = {
  handle(outbound, message, session) {
    write("debug", "out.rcpt");
    return { tag: "next" };
  },
};

//@ out.data
// `out.data`
export const outData = {
  handle(outbound, message, session) {
    write("debug", "out.data");
    return { tag: "next" };
  },
};

//@ out.reply
// `out.reply`
export const outReply = {
  handle(outbound, message, session) {
    write("debug", "out.reply");
    return { tag: "next" };
  },
};

//@ out.quit
// `out.quit`
export const outQuit = {
  handle(leg, session) {
    write("debug", "out.quit");
    return { tag: "next" };
  },
};

//@ out.disconnect
// `out.disconnect`
export const outDisconnect = {
  handle(leg, session) {
    write("debug", "out.disconnect");
  },
};

//@ dns.resolve
// `dns.resolve`
export const dnsResolve = {
  handle(question) {
    write("debug", "dns.resolve");
    return { tag: "next" };
  },
};

//@ track
// `track`
export const track = {
  handle(stepJson) {
    write("debug", "track");
  },
};

//@ server.start
// `server.start`
export const serverStart = {
  handle() {
    write("debug", "server.start");
  },
};

//@ server.reload
// `server.reload`
export const serverReload = {
  handle() {
    write("debug", "server.reload");
  },
};

//@ server.shutdown
// `server.shutdown`
export const serverShutdown = {
  handle() {
    write("debug", "server.shutdown");
  },
};
