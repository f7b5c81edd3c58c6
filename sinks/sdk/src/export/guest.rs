//! From the exports of a component to [`On`].

use super::{Claiming, Hosted, On, SelfTesting};
use crate::catalogue::{EventType, on};
use crate::claim::{Conditions, VerbClaim};
use crate::heard::Heard;
use crate::wit;
use crate::wit::types::{
    Command, Credentials, Excess, Leg, Message, Outbound, Outgoing, Question, Recipient, Session, Verdict,
};
use std::marker::PhantomData;
use std::sync::Once;

/// The exports of a sink.
#[derive(Debug)]
pub struct Exported<S>(PhantomData<S>);

/// Panics end in a trap, which carries no text: the server finds it in the log.
fn tell_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let payload = info.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            wit::log::write(wit::log::Level::Error, &format!("panicked at {place}: {text}"));
        }));
    });
}

fn hear<S: Hosted + On<E>, E: EventType>(mut heard: Heard<'_, E>) -> Result<Verdict, String> {
    tell_panics();
    let ruling = S::with(|sink| sink.on(&mut heard));
    ruling.map(|ruling| ruling.into_verdict()).map_err(|fault| fault.to_string())
}

macro_rules! exports {
    ($($event:ident $module:ident ($($arg:ident: $type:ty),*) => $heard:expr;)+) => {
        $(impl<S: Hosted + On<on::$event>> wit::$module::Guest for Exported<S> {
            fn handle($($arg: $type),*) -> Result<Verdict, String> {
                hear::<S, on::$event>($heard)
            }
        })+
    };
}

exports! {
    InConnect in_connect (session: &Session) => Heard::new(Some(session), None, ());
    InHelo in_helo (command: Command, session: &Session) => Heard::new(Some(session), None, command);
    InTls in_tls (session: &Session) => Heard::new(Some(session), None, ());
    InAuth in_auth (credentials: Credentials, session: &Session) => Heard::new(Some(session), None, credentials);
    InMail in_mail (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    InRcpt in_rcpt (recipient: &Recipient, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), recipient);
    InData in_data (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    InHeaders in_headers (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    InMessage in_message (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    InCommand in_command (command: Command, message: Option<&Message>, session: &Session)
        => Heard::new(Some(session), message, command);
    InReply in_reply (reply: &Outgoing, message: Option<&Message>, session: &Session)
        => Heard::new(Some(session), message, reply);
    TransportOversize transport_oversize (excess: Excess, message: Option<&Message>, session: &Session)
        => Heard::new(Some(session), message, excess);
    TransportSubmit transport_submit (message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), ());
    TransportPreCategorize transport_pre_categorize (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    TransportCategorize transport_categorize (recipient: &Recipient, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), recipient);
    TransportPostCategorize transport_post_categorize (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    TransportRoute transport_route (leg: Leg, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), leg.into());
    TransportDeliver transport_deliver (leg: Leg, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), leg.into());
    TransportDeferred transport_deferred (leg: Leg, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), leg.into());
    TransportFailed transport_failed (leg: Leg, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), leg.into());
    TransportDsn transport_dsn (message: &Message, session: &Session) => Heard::new(Some(session), Some(message), ());
    OutConnect out_connect (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutHelo out_helo (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutMessage out_message (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutMail out_mail (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutRcpt out_rcpt (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutData out_data (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutReply out_reply (outbound: &Outbound, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), outbound);
    OutQuit out_quit (leg: Leg, session: &Session) => Heard::new(Some(session), None, leg.into());
    DnsResolve dns_resolve (question: Question) => Heard::new(None, None, question);
}

macro_rules! told {
    ($($event:ident $module:ident ($($arg:ident: $type:ty),*) => $heard:expr;)+) => {
        $(impl<S: Hosted + On<on::$event>> wit::$module::Guest for Exported<S> {
            fn handle($($arg: $type),*) -> Result<(), String> {
                hear::<S, on::$event>($heard).map(|_| ())
            }
        })+
    };
}

told! {
    InDisconnect in_disconnect (session: &Session) => Heard::new(Some(session), None, ());
    TransportDelivered transport_delivered (leg: Leg, message: &Message, session: &Session)
        => Heard::new(Some(session), Some(message), leg.into());
    OutDisconnect out_disconnect (leg: Leg, session: &Session) => Heard::new(Some(session), None, leg.into());
    Track track (step_json: String) => Heard::new(None, None, step_json);
    ServerStart server_start () => Heard::new(None, None, ());
    ServerReload server_reload () => Heard::new(None, None, ());
    ServerShutdown server_shutdown () => Heard::new(None, None, ());
}

impl<S: Claiming> wit::claims::Guest for Exported<S> {
    fn get() -> wit::claims::Claim {
        tell_panics();
        // The interface has no way to say no: a sink that can't be made traps, with the reason in its log.
        let claims = match S::with(|sink| Ok(sink.claims())) {
            Ok(claims) => claims,
            Err(fault) => panic!("{fault}"),
        };
        wit::claims::Claim {
            verbs: claims.verbs.into_iter().map(verb).collect(),
            mail_params: claims.mail_params,
            rcpt_params: claims.rcpt_params,
            auth_mechanisms: claims.auth_mechanisms,
            keywords: claims.keywords,
        }
    }
}

fn verb(claim: VerbClaim) -> wit::claims::Verb {
    let Conditions { tls, users, clients } = claim.conditions;
    wit::claims::Verb {
        name: claim.verb,
        keyword: claim.keyword,
        conditions: wit::claims::Conditions { tls, users, clients },
        early: claim.early,
        refusal: claim.refusal.map(Into::into),
    }
}

impl<S: SelfTesting> wit::self_test::Guest for Exported<S> {
    fn run() -> Result<(), String> {
        tell_panics();
        S::with(S::self_test).map_err(|fault| fault.to_string())
    }
}
