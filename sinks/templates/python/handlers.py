//@ in.connect

class InConnect(exports.InConnect):
    """`in.connect`"""

    def handle(self, session):
        log.write(log.Level.DEBUG, "in.connect")
        return types.Verdict_Next()

//@ in.helo

class InHelo(exports.InHelo):
    """`in.helo`"""

    def handle(self, command, session):
        log.write(log.Level.DEBUG, "in.helo")
        return types.Verdict_Next()

//@ in.tls

class InTls(exports.InTls):
    """`in.tls`"""

    def handle(self, session):
        log.write(log.Level.DEBUG, "in.tls")
        return types.Verdict_Next()

//@ in.auth

class InAuth(exports.InAuth):
    """`in.auth`"""

    def handle(self, credentials, session):
        log.write(log.Level.DEBUG, "in.auth")
        return types.Verdict_Next()

//@ in.mail

class InMail(exports.InMail):
    """`in.mail`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "in.mail")
        return types.Verdict_Next()

//@ in.rcpt

class InRcpt(exports.InRcpt):
    """`in.rcpt`"""

    def handle(self, recipient, message, session):
        log.write(log.Level.DEBUG, "in.rcpt")
        return types.Verdict_Next()

//@ in.data

class InData(exports.InData):
    """`in.data`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "in.data")
        return types.Verdict_Next()

//@ in.headers

class InHeaders(exports.InHeaders):
    """`in.headers`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "in.headers")
        return types.Verdict_Next()

//@ in.message

class InMessage(exports.InMessage):
    """`in.message`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "in.message")
        return types.Verdict_Next()

//@ in.command

class InCommand(exports.InCommand):
    """`in.command`"""

    def handle(self, command, message, session):
        log.write(log.Level.DEBUG, "in.command")
        return types.Verdict_Next()

//@ in.reply

class InReply(exports.InReply):
    """`in.reply`"""

    def handle(self, reply, message, session):
        log.write(log.Level.DEBUG, "in.reply")
        return types.Verdict_Next()

//@ in.disconnect

class InDisconnect(exports.InDisconnect):
    """`in.disconnect`"""

    def handle(self, session):
        log.write(log.Level.DEBUG, "in.disconnect")

//@ transport.oversize

class TransportOversize(exports.TransportOversize):
    """`transport.oversize`"""

    def handle(self, excess, message, session):
        log.write(log.Level.DEBUG, "transport.oversize")
        return types.Verdict_Next()

//@ transport.submit

class TransportSubmit(exports.TransportSubmit):
    """`transport.submit`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "transport.submit")
        return types.Verdict_Next()

//@ transport.pre-categorize

class TransportPreCategorize(exports.TransportPreCategorize):
    """`transport.pre-categorize`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "transport.pre-categorize")
        return types.Verdict_Next()

//@ transport.categorize

class TransportCategorize(exports.TransportCategorize):
    """`transport.categorize`"""

    def handle(self, recipient, message, session):
        log.write(log.Level.DEBUG, "transport.categorize")
        return types.Verdict_Next()

//@ transport.post-categorize

class TransportPostCategorize(exports.TransportPostCategorize):
    """`transport.post-categorize`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "transport.post-categorize")
        return types.Verdict_Next()

//@ transport.route

class TransportRoute(exports.TransportRoute):
    """`transport.route`"""

    def handle(self, leg, message, session):
        log.write(log.Level.DEBUG, "transport.route")
        return types.Verdict_Next()

//@ transport.deliver

class TransportDeliver(exports.TransportDeliver):
    """`transport.deliver`"""

    def handle(self, leg, message, session):
        log.write(log.Level.DEBUG, "transport.deliver")
        return types.Verdict_Next()

//@ transport.delivered

class TransportDelivered(exports.TransportDelivered):
    """`transport.delivered`"""

    def handle(self, leg, message, session):
        log.write(log.Level.DEBUG, "transport.delivered")

//@ transport.deferred

class TransportDeferred(exports.TransportDeferred):
    """`transport.deferred`"""

    def handle(self, leg, message, session):
        log.write(log.Level.DEBUG, "transport.deferred")
        return types.Verdict_Next()

//@ transport.failed

class TransportFailed(exports.TransportFailed):
    """`transport.failed`"""

    def handle(self, leg, message, session):
        log.write(log.Level.DEBUG, "transport.failed")
        return types.Verdict_Next()

//@ transport.dsn

class TransportDsn(exports.TransportDsn):
    """`transport.dsn`"""

    def handle(self, message, session):
        log.write(log.Level.DEBUG, "transport.dsn")
        return types.Verdict_Next()

//@ out.connect

class OutConnect(exports.OutConnect):
    """`out.connect`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.connect")
        return types.Verdict_Next()

//@ out.helo

class OutHelo(exports.OutHelo):
    """`out.helo`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.helo")
        return types.Verdict_Next()

//@ out.message

class OutMessage(exports.OutMessage):
    """`out.message`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.message")
        return types.Verdict_Next()

//@ out.mail

class OutMail(exports.OutMail):
    """`out.mail`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.mail")
        return types.Verdict_Next()

//@ out.rcpt

class OutRcpt(exports.OutRcpt):
    """`out.rcpt`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.rcpt")
        return types.Verdict_Next()

//@ out.data

class OutData(exports.OutData):
    """`out.data`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.data")
        return types.Verdict_Next()

//@ out.reply

class OutReply(exports.OutReply):
    """`out.reply`"""

    def handle(self, outbound, message, session):
        log.write(log.Level.DEBUG, "out.reply")
        return types.Verdict_Next()

//@ out.quit

class OutQuit(exports.OutQuit):
    """`out.quit`"""

    def handle(self, leg, session):
        log.write(log.Level.DEBUG, "out.quit")
        return types.Verdict_Next()

//@ out.disconnect

class OutDisconnect(exports.OutDisconnect):
    """`out.disconnect`"""

    def handle(self, leg, session):
        log.write(log.Level.DEBUG, "out.disconnect")

//@ dns.resolve

class DnsResolve(exports.DnsResolve):
    """`dns.resolve`"""

    def handle(self, question):
        log.write(log.Level.DEBUG, "dns.resolve")
        return types.Verdict_Next()

//@ track

class Track(exports.Track):
    """`track`"""

    def handle(self, step_json):
        log.write(log.Level.DEBUG, "track")

//@ server.start

class ServerStart(exports.ServerStart):
    """`server.start`"""

    def handle(self):
        log.write(log.Level.DEBUG, "server.start")

//@ server.reload

class ServerReload(exports.ServerReload):
    """`server.reload`"""

    def handle(self):
        log.write(log.Level.DEBUG, "server.reload")

//@ server.shutdown

class ServerShutdown(exports.ServerShutdown):
    """`server.shutdown`"""

    def handle(self):
        log.write(log.Level.DEBUG, "server.shutdown")
