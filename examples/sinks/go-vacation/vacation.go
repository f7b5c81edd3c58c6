// Package sink answers mail in somebody's absence: each sender once in so many days, and never what
// may not be answered (RFC 3834).
package sink

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	types "go.bytecodealliance.org/pkg/wit/types"
	config "wit_component/mailsluice_sink_config"
	kv "wit_component/mailsluice_sink_kv"
	submit "wit_component/mailsluice_sink_submit"
	mail "wit_component/mailsluice_sink_types"
)

type settings struct {
	Address string
	Subject string
	Text    string
	Days    uint64
}

// TransportSubmit is `transport.submit`. The message itself goes on as it is. What is lent for the call has to be given back.
func TransportSubmit(message *mail.Message, session *mail.Session) types.Result[mail.Verdict, string] {
	defer message.Drop()
	defer session.Drop()
	var own settings
	if err := json.Unmarshal([]byte(config.Get()), &own); err != nil {
		return fault("[sink.config]: " + err.Error())
	}
	sender := message.Sender()
	if sender.IsNone() || automatic(message) || !addressed(message, own.Address) {
		return next()
	}
	// As one step, so that two messages at a time do not make two answers.
	first := kv.CompareAndSet(sender.Some(), types.None[[]byte](), types.Some([]byte{}), types.Some(own.Days*86400))
	if first.IsErr() {
		return fault("kv can't tell whether this sender was answered")
	}
	if first.Ok() {
		if sent := submit.Submit(answer(message, sender.Some(), own)); sent.IsErr() {
			return fault("the answer was refused: " + sent.Err())
		}
	}
	return next()
}

// What programs and lists send is not answered.
func automatic(message *mail.Message) bool {
	if how := message.Header("Auto-Submitted"); how.IsSome() && !strings.EqualFold(how.Some(), "no") {
		return true
	}
	precedence := strings.ToLower(message.Header("Precedence").SomeOr(""))
	return message.Header("List-Id").IsSome() || precedence == "bulk" || precedence == "list" || precedence == "junk"
}

// Whether the message is meant for the address, and not blindly copied to it.
func addressed(message *mail.Message, address string) bool {
	named := strings.Join(append(message.Headers("To"), message.Headers("Cc")...), ",")
	return strings.Contains(strings.ToLower(named), strings.ToLower(address))
}

// Answers have the null path, so that nothing answers them.
func answer(message *mail.Message, to string, own settings) submit.NewMessage {
	lines := []string{
		"From: <" + own.Address + ">",
		"To: <" + to + ">",
		"Subject: " + mime.QEncoding.Encode("utf-8", own.Subject),
		"Auto-Submitted: auto-replied",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: 8bit",
	}
	if id := message.Header("Message-ID"); id.IsSome() {
		lines = append(lines, "In-Reply-To: "+id.Some())
	}
	text := strings.ReplaceAll(strings.TrimSpace(own.Text), "\n", "\r\n")
	return submit.NewMessage{
		Sender:     types.None[string](),
		Recipients: []string{to},
		Content:    fmt.Appendf(nil, "%s\r\n\r\n%s\r\n", strings.Join(lines, "\r\n"), text),
	}
}

func next() types.Result[mail.Verdict, string] {
	return types.Ok[mail.Verdict, string](mail.MakeVerdictNext())
}

func fault(why string) types.Result[mail.Verdict, string] {
	return types.Err[mail.Verdict](why)
}
