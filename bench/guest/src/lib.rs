//! Says `next` to everything; of a message it reads sender and size, and one field.

use mailsluice_sink::{Fault, Heard, On, Ruling, hears, on};
use std::hint::black_box;

#[derive(Default)]
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
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        black_box((heard.sender(), heard.size(), heard.header("Subject")));
        Ok(Ruling::next())
    }
}

hears!(Idle { InMail, InRcpt, TransportSubmit });
