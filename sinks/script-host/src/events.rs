//! What the server calls: each event hands the script what it brings.
//!
//! `self-test` does one thing more. Asked before there is a script, it has nothing to do but to boot the engine: so the component is
//! initialised when it is built.

use crate::call::Call;
use crate::wit::exports::mailsluice::script::loader;
use crate::wit::exports::mailsluice::sink::claims::Claim;
use crate::wit::exports::mailsluice::sink::{
    claims, dns_resolve, in_auth, in_command, in_connect, in_data, in_disconnect, in_headers, in_helo, in_mail,
    in_message, in_rcpt, in_reply, in_tls, out_connect, out_data, out_disconnect, out_helo, out_mail, out_message,
    out_quit, out_rcpt, out_reply, self_test, server_reload, server_shutdown, server_start, track,
    transport_categorize, transport_deferred, transport_deliver, transport_delivered, transport_dsn, transport_failed,
    transport_oversize, transport_post_categorize, transport_pre_categorize, transport_route, transport_submit,
};
use crate::wit::mailsluice::sink::types::{
    Command, Credentials, Excess, Leg, Message, Outbound, Outgoing, Question, Recipient, Session, Verdict,
};
use crate::{Host, script};

impl loader::Guest for Host {
    fn load(main: String, grants: loader::Grants, memory: u64) -> Result<Vec<String>, String> {
        script::load(main, grants, memory)
    }
}

impl claims::Guest for Host {
    fn get() -> Claim {
        script::claim().unwrap_or_else(|| Claim {
            verbs: Vec::new(),
            mail_params: Vec::new(),
            rcpt_params: Vec::new(),
            auth_mechanisms: Vec::new(),
            keywords: Vec::new(),
        })
    }
}

impl self_test::Guest for Host {
    fn run() -> Result<(), String> {
        script::test()
    }
}

impl in_connect::Guest for Host {
    fn handle(session: &Session) -> Result<Verdict, String> {
        script::decide("in.connect", Call::of(session))
    }
}

impl in_helo::Guest for Host {
    fn handle(command: Command, session: &Session) -> Result<Verdict, String> {
        script::decide("in.helo", Call::of(session).command(command))
    }
}

impl in_tls::Guest for Host {
    fn handle(session: &Session) -> Result<Verdict, String> {
        script::decide("in.tls", Call::of(session))
    }
}

impl in_auth::Guest for Host {
    fn handle(credentials: Credentials, session: &Session) -> Result<Verdict, String> {
        script::decide("in.auth", Call::of(session).credentials(credentials))
    }
}

impl in_mail::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("in.mail", Call::of(session).message(message))
    }
}

impl in_rcpt::Guest for Host {
    fn handle(recipient: &Recipient, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("in.rcpt", Call::of(session).message(message).at_hand(recipient))
    }
}

impl in_data::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("in.data", Call::of(session).message(message))
    }
}

impl in_headers::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("in.headers", Call::of(session).message(message))
    }
}

impl in_message::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("in.message", Call::of(session).message(message))
    }
}

impl in_command::Guest for Host {
    fn handle(command: Command, message: Option<&Message>, session: &Session) -> Result<Verdict, String> {
        script::decide("in.command", Call::of(session).message(message).command(command))
    }
}

impl in_reply::Guest for Host {
    fn handle(reply: &Outgoing, message: Option<&Message>, session: &Session) -> Result<Verdict, String> {
        script::decide("in.reply", Call::of(session).message(message).outgoing(reply))
    }
}

impl transport_oversize::Guest for Host {
    fn handle(excess: Excess, message: Option<&Message>, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.oversize", Call::of(session).message(message).excess(excess))
    }
}

impl transport_submit::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.submit", Call::of(session).message(message))
    }
}

impl transport_pre_categorize::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.pre-categorize", Call::of(session).message(message))
    }
}

impl transport_categorize::Guest for Host {
    fn handle(recipient: &Recipient, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.categorize", Call::of(session).message(message).at_hand(recipient))
    }
}

impl transport_post_categorize::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.post-categorize", Call::of(session).message(message))
    }
}

impl transport_route::Guest for Host {
    fn handle(leg: Leg, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.route", Call::of(session).message(message).leg(leg))
    }
}

impl transport_deliver::Guest for Host {
    fn handle(leg: Leg, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.deliver", Call::of(session).message(message).leg(leg))
    }
}

impl transport_delivered::Guest for Host {
    fn handle(leg: Leg, message: &Message, session: &Session) -> Result<(), String> {
        script::tell("transport.delivered", Call::of(session).message(message).leg(leg))
    }
}

impl transport_deferred::Guest for Host {
    fn handle(leg: Leg, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.deferred", Call::of(session).message(message).leg(leg))
    }
}

impl transport_failed::Guest for Host {
    fn handle(leg: Leg, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.failed", Call::of(session).message(message).leg(leg))
    }
}

impl transport_dsn::Guest for Host {
    fn handle(message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("transport.dsn", Call::of(session).message(message))
    }
}

impl out_connect::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.connect", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_helo::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.helo", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_message::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.message", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_mail::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.mail", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_rcpt::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.rcpt", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_data::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.data", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_reply::Guest for Host {
    fn handle(outbound: &Outbound, message: &Message, session: &Session) -> Result<Verdict, String> {
        script::decide("out.reply", Call::of(session).message(message).outbound(outbound))
    }
}

impl out_quit::Guest for Host {
    fn handle(leg: Leg, session: &Session) -> Result<Verdict, String> {
        script::decide("out.quit", Call::of(session).leg(leg))
    }
}

impl out_disconnect::Guest for Host {
    fn handle(leg: Leg, session: &Session) -> Result<(), String> {
        script::tell("out.disconnect", Call::of(session).leg(leg))
    }
}

impl dns_resolve::Guest for Host {
    fn handle(question: Question) -> Result<Verdict, String> {
        script::decide("dns.resolve", Call::of_question(question))
    }
}

impl track::Guest for Host {
    fn handle(step_json: String) -> Result<(), String> {
        script::tell("track", Call::of_step(step_json))
    }
}

impl in_disconnect::Guest for Host {
    fn handle(session: &Session) -> Result<(), String> {
        script::tell("in.disconnect", Call::of(session))
    }
}

impl server_start::Guest for Host {
    fn handle() -> Result<(), String> {
        script::tell("server.start", Call::default())
    }
}

impl server_reload::Guest for Host {
    fn handle() -> Result<(), String> {
        script::tell("server.reload", Call::default())
    }
}

impl server_shutdown::Guest for Host {
    fn handle() -> Result<(), String> {
        script::tell("server.shutdown", Call::default())
    }
}
