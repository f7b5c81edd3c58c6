// Package sink is the sink `{name}`.
//
// A function returns a verdict, or why it could not do its work: `types.Err[mail.Verdict]("why")`. What is lent for the call has to be given
// back by `Drop`.
package sink

import (
	types "go.bytecodealliance.org/pkg/wit/types"
	log "wit_component/mailsluice_sink_log"
	mail "wit_component/mailsluice_sink_types"
)

// What hears only of the server needs no verdicts.
var _ = mail.MakeVerdictNext

{handlers}
