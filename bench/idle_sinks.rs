//! The server with a native sink that does next to nothing, for `bench/accept.py`: it is called at MAIL, RCPT and submit, and has
//! no objection.

use mailsluice::event::{Env, Fault, Heard, On, Ruling, on};
use std::process::ExitCode;

struct Idle;

impl On<on::InMail> for Idle {
    fn on(&self, _: &mut Heard<'_, on::InMail>) -> Result<Ruling<on::InMail>, Fault> {
        Ok(Ruling::next())
    }
}

impl On<on::InRcpt> for Idle {
    fn on(&self, _: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        Ok(Ruling::next())
    }
}

impl On<on::TransportSubmit> for Idle {
    fn on(&self, _: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        Ok(Ruling::next())
    }
}

mailsluice::hears!(Idle { InMail: now, InRcpt: now, TransportSubmit: now });

/// `[sink.config]`: there is none.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn main() -> ExitCode {
    let open = |_: Nothing, _: &mut Env| Ok::<_, String>(Idle);
    mailsluice::cli::main(mailsluice::cli::Builder::new().native("idle", open))
}
