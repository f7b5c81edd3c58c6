//@ in.connect
// InConnect is `in.connect`.
func InConnect(session *mail.Session) types.Result[mail.Verdict, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "in.connect")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.helo
// InHelo is `in.helo`.
func InHelo(_ mail.Command, session *mail.Session) types.Result[mail.Verdict, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "in.helo")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.tls
// InTls is `in.tls`.
func InTls(session *mail.Session) types.Result[mail.Verdict, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "in.tls")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.auth
// InAuth is `in.auth`.
func InAuth(_ mail.Credentials, session *mail.Session) types.Result[mail.Verdict, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "in.auth")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.mail
// InMail is `in.mail`.
func InMail(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "in.mail")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.rcpt
// InRcpt is `in.rcpt`.
func InRcpt(recipient *mail.Recipient, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer recipient.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "in.rcpt")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.data
// InData is `in.data`.
func InData(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "in.data")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.headers
// InHeaders is `in.headers`.
func InHeaders(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "in.headers")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.message
// InMessage is `in.message`.
func InMessage(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "in.message")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.command
// InCommand is `in.command`.
func InCommand(_ mail.Command, message types.Option[*mail.Message], session *mail.Session) types.Result[mail.Verdict, string] {
	if message.IsSome() {
		defer message.Some().Drop()
	}
	defer session.Drop()
	log.Write(log.LevelDebug, "in.command")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.reply
// InReply is `in.reply`.
func InReply(reply *mail.Outgoing, message types.Option[*mail.Message], session *mail.Session) types.Result[mail.Verdict, string] {
	defer reply.Drop()
	if message.IsSome() {
		defer message.Some().Drop()
	}
	defer session.Drop()
	log.Write(log.LevelDebug, "in.reply")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ in.disconnect
// InDisconnect is `in.disconnect`.
func InDisconnect(session *mail.Session) types.Result[types.Unit, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "in.disconnect")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ transport.oversize
// TransportOversize is `transport.oversize`.
func TransportOversize(_ mail.Excess, message types.Option[*mail.Message], session *mail.Session) types.Result[mail.Verdict, string] {
	if message.IsSome() {
		defer message.Some().Drop()
	}
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.oversize")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.submit
// TransportSubmit is `transport.submit`.
func TransportSubmit(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.submit")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.pre-categorize
// TransportPreCategorize is `transport.pre-categorize`.
func TransportPreCategorize(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.pre-categorize")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.categorize
// TransportCategorize is `transport.categorize`.
func TransportCategorize(recipient *mail.Recipient, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer recipient.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.categorize")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.post-categorize
// TransportPostCategorize is `transport.post-categorize`.
func TransportPostCategorize(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.post-categorize")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.route
// TransportRoute is `transport.route`.
func TransportRoute(_ mail.Leg, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.route")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.deliver
// TransportDeliver is `transport.deliver`.
func TransportDeliver(_ mail.Leg, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.deliver")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.delivered
// TransportDelivered is `transport.delivered`.
func TransportDelivered(_ mail.Leg, message *mail.Message, session *mail.Session) types.Result[types.Unit, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.delivered")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ transport.deferred
// TransportDeferred is `transport.deferred`.
func TransportDeferred(_ mail.Leg, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.deferred")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.failed
// TransportFailed is `transport.failed`.
func TransportFailed(_ mail.Leg, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.failed")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ transport.dsn
// TransportDsn is `transport.dsn`.
func TransportDsn(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "transport.dsn")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.connect
// OutConnect is `out.connect`.
func OutConnect(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.connect")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.helo
// OutHelo is `out.helo`.
func OutHelo(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.helo")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.message
// OutMessage is `out.message`.
func OutMessage(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.message")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.mail
// OutMail is `out.mail`.
func OutMail(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.mail")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.rcpt
// OutRcpt is `out.rcpt`.
func OutRcpt(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.rcpt")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.data
// OutData is `out.data`.
func OutData(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.data")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.reply
// OutReply is `out.reply`.
func OutReply(outbound *mail.Outbound, message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer outbound.Drop()
	defer message.Drop()
	defer session.Drop()
	log.Write(log.LevelDebug, "out.reply")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.quit
// OutQuit is `out.quit`.
func OutQuit(_ mail.Leg, session *mail.Session) types.Result[mail.Verdict, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "out.quit")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ out.disconnect
// OutDisconnect is `out.disconnect`.
func OutDisconnect(_ mail.Leg, session *mail.Session) types.Result[types.Unit, string] {
	defer session.Drop()
	log.Write(log.LevelDebug, "out.disconnect")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ dns.resolve
// DnsResolve is `dns.resolve`.
func DnsResolve(_ mail.Question) types.Result[mail.Verdict, string] {
	log.Write(log.LevelDebug, "dns.resolve")
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

//@ track
// Track is `track`.
func Track(_ string) types.Result[types.Unit, string] {
	log.Write(log.LevelDebug, "track")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ server.start
// ServerStart is `server.start`.
func ServerStart() types.Result[types.Unit, string] {
	log.Write(log.LevelDebug, "server.start")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ server.reload
// ServerReload is `server.reload`.
func ServerReload() types.Result[types.Unit, string] {
	log.Write(log.LevelDebug, "server.reload")
	return types.Ok[types.Unit, string](types.Unit{})
}

//@ server.shutdown
// ServerShutdown is `server.shutdown`.
func ServerShutdown() types.Result[types.Unit, string] {
	log.Write(log.LevelDebug, "server.shutdown")
	return types.Ok[types.Unit, string](types.Unit{})
}
