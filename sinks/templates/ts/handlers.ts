//@ in.connect
// `in.connect`
export const inConnect: typeof import("mailsluice:sink/in-connect@1.0.0") = {
  handle(session) {
    write("debug", "in.connect");
    return { tag: "next" };
  },
};

//@ in.helo
// `in.helo`
export const inHelo: typeof import("mailsluice:sink/in-helo@1.0.0") = {
  handle(command, session) {
    write("debug", "in.helo");
    return { tag: "next" };
  },
};

//@ in.tls
// `in.tls`
export const inTls: typeof import("mailsluice:sink/in-tls@1.0.0") = {
  handle(session) {
    write("debug", "in.tls");
    return { tag: "next" };
  },
};

//@ in.auth
// `in.auth`
export const inAuth: typeof import("mailsluice:sink/in-auth@1.0.0") = {
  handle(credentials, session) {
    write("debug", "in.auth");
    return { tag: "next" };
  },
};

//@ in.mail
// `in.mail`
export const inMail: typeof import("mailsluice:sink/in-mail@1.0.0") = {
  handle(message, session) {
    write("debug", "in.mail");
    return { tag: "next" };
  },
};

//@ in.rcpt
// `in.rcpt`
export const inRcpt: typeof import("mailsluice:sink/in-rcpt@1.0.0") = {
  handle(recipient, message, session) {
    write("debug", "in.rcpt");
    return { tag: "next" };
  },
};

//@ in.data
// `in.data`
export const inData: typeof import("mailsluice:sink/in-data@1.0.0") = {
  handle(message, session) {
    write("debug", "in.data");
    return { tag: "next" };
  },
};

//@ in.headers
// `in.headers`
export const inHeaders: typeof import("mailsluice:sink/in-headers@1.0.0") = {
  handle(message, session) {
    write("debug", "in.headers");
    return { tag: "next" };
  },
};

//@ in.message
// `in.message`
export const inMessage: typeof import("mailsluice:sink/in-message@1.0.0") = {
  handle(message, session) {
    write("debug", "in.message");
    return { tag: "next" };
  },
};

//@ in.command
// `in.command`
export const inCommand: typeof import("mailsluice:sink/in-command@1.0.0") = {
  handle(command, message, session) {
    write("debug", "in.command");
    return { tag: "next" };
  },
};

//@ in.reply
// `in.reply`
export const inReply: typeof import("mailsluice:sink/in-reply@1.0.0") = {
  handle(reply, message, session) {
    write("debug", "in.reply");
    return { tag: "next" };
  },
};

//@ in.disconnect
// `in.disconnect`
export const inDisconnect: typeof import("mailsluice:sink/in-disconnect@1.0.0") = {
  handle(session) {
    write("debug", "in.disconnect");
  },
};

//@ transport.oversize
// `transport.oversize`
export const transportOversize: typeof import("mailsluice:sink/transport-oversize@1.0.0") = {
  handle(excess, message, session) {
    write("debug", "transport.oversize");
    return { tag: "next" };
  },
};

//@ transport.submit
// `transport.submit`
export const transportSubmit: typeof import("mailsluice:sink/transport-submit@1.0.0") = {
  handle(message, session) {
    write("debug", "transport.submit");
    return { tag: "next" };
  },
};

//@ transport.pre-categorize
// `transport.pre-categorize`
export const transportPreCategorize: typeof import("mailsluice:sink/transport-pre-categorize@1.0.0") = {
  handle(message, session) {
    write("debug", "transport.pre-categorize");
    return { tag: "next" };
  },
};

//@ transport.categorize
// `transport.categorize`
export const transportCategorize: typeof import("mailsluice:sink/transport-categorize@1.0.0") = {
  handle(recipient, message, session) {
    write("debug", "transport.categorize");
    return { tag: "next" };
  },
};

//@ transport.post-categorize
// `transport.post-categorize`
export const transportPostCategorize: typeof import("mailsluice:sink/transport-post-categorize@1.0.0") = {
  handle(message, session) {
    write("debug", "transport.post-categorize");
    return { tag: "next" };
  },
};

//@ transport.route
// `transport.route`
export const transportRoute: typeof import("mailsluice:sink/transport-route@1.0.0") = {
  handle(leg, message, session) {
    write("debug", "transport.route");
    return { tag: "next" };
  },
};

//@ transport.deliver
// `transport.deliver`
export const transportDeliver: typeof import("mailsluice:sink/transport-deliver@1.0.0") = {
  handle(leg, message, session) {
    write("debug", "transport.deliver");
    return { tag: "next" };
  },
};

//@ transport.delivered
// `transport.delivered`
export const transportDelivered: typeof import("mailsluice:sink/transport-delivered@1.0.0") = {
  handle(leg, message, session) {
    write("debug", "transport.delivered");
  },
};

//@ transport.deferred
// `transport.deferred`
export const transportDeferred: typeof import("mailsluice:sink/transport-deferred@1.0.0") = {
  handle(leg, message, session) {
    write("debug", "transport.deferred");
    return { tag: "next" };
  },
};

//@ transport.failed
// `transport.failed`
export const transportFailed: typeof import("mailsluice:sink/transport-failed@1.0.0") = {
  handle(leg, message, session) {
    write("debug", "transport.failed");
    return { tag: "next" };
  },
};

//@ transport.dsn
// `transport.dsn`
export const transportDsn: typeof import("mailsluice:sink/transport-dsn@1.0.0") = {
  handle(message, session) {
    write("debug", "transport.dsn");
    return { tag: "next" };
  },
};

//@ out.connect
// `out.connect`
export const outConnect: typeof import("mailsluice:sink/out-connect@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.connect");
    return { tag: "next" };
  },
};

//@ out.helo
// `out.helo`
export const outHelo: typeof import("mailsluice:sink/out-helo@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.helo");
    return { tag: "next" };
  },
};

//@ out.message
// `out.message`
export const outMessage: typeof import("mailsluice:sink/out-message@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.message");
    return { tag: "next" };
  },
};

//@ out.mail
// `out.mail`
export const outMail: typeof import("mailsluice:sink/out-mail@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.mail");
    return { tag: "next" };
  },
};

//@ out.rcpt
// `out.rcpt`
export const outRcpt: typeof import("mailsluice:sink/out-rcpt@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.rcpt");
    return { tag: "next" };
  },
};

//@ out.data
// `out.data`
export const outData: typeof import("mailsluice:sink/out-data@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.data");
    return { tag: "next" };
  },
};

//@ out.reply
// `out.reply`
export const outReply: typeof import("mailsluice:sink/out-reply@1.0.0") = {
  handle(outbound, message, session) {
    write("debug", "out.reply");
    return { tag: "next" };
  },
};

//@ out.quit
// `out.quit`
export const outQuit: typeof import("mailsluice:sink/out-quit@1.0.0") = {
  handle(leg, session) {
    write("debug", "out.quit");
    return { tag: "next" };
  },
};

//@ out.disconnect
// `out.disconnect`
export const outDisconnect: typeof import("mailsluice:sink/out-disconnect@1.0.0") = {
  handle(leg, session) {
    write("debug", "out.disconnect");
  },
};

//@ dns.resolve
// `dns.resolve`
export const dnsResolve: typeof import("mailsluice:sink/dns-resolve@1.0.0") = {
  handle(question) {
    write("debug", "dns.resolve");
    return { tag: "next" };
  },
};

//@ track
// `track`
export const track: typeof import("mailsluice:sink/track@1.0.0") = {
  handle(stepJson) {
    write("debug", "track");
  },
};

//@ server.start
// `server.start`
export const serverStart: typeof import("mailsluice:sink/server-start@1.0.0") = {
  handle() {
    write("debug", "server.start");
  },
};

//@ server.reload
// `server.reload`
export const serverReload: typeof import("mailsluice:sink/server-reload@1.0.0") = {
  handle() {
    write("debug", "server.reload");
  },
};

//@ server.shutdown
// `server.shutdown`
export const serverShutdown: typeof import("mailsluice:sink/server-shutdown@1.0.0") = {
  handle() {
    write("debug", "server.shutdown");
  },
};
