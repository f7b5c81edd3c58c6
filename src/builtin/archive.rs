//! `archive`: a copy of every message to one more address, which the header does not show.
//!
//! The address is added to the envelope when the message is submitted, once, and not to mail that goes to it or comes
//! from it anyway. Which messages are copied is for the binding's rule to say.

use crate::event::{Env, Fault, Heard, On, Ruling, on};
use crate::mail::{ForwardPath, Mailbox};
use serde::Deserialize;
use std::convert::Infallible;

/// `[sink.config]` of `archive`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Where the copies go.
    to: Mailbox,
}

/// The sink.
pub(super) struct Archive {
    to: Mailbox,
}

/// Opens the sink.
pub(super) fn open(config: Config, _: &mut Env) -> Result<Archive, Infallible> {
    Ok(Archive { to: config.to })
}

impl On<on::TransportSubmit> for Archive {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        let is_archive = |path: &str| path.eq_ignore_ascii_case(self.to.as_str());
        let from_it = heard.sender().is_some_and(|sender| is_archive(sender.as_str()));
        if !from_it && !heard.recipients().any(|(_, r)| is_archive(r.path.as_str())) {
            heard.add_recipient(ForwardPath::Mailbox(self.to.clone()));
        }
        Ok(Ruling::next())
    }
}

crate::hears!(Archive { TransportSubmit: now });

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Decision, Event};

    async fn recipients_after(sender: &str, recipients: &[&str]) -> Vec<String> {
        let mut rig = Rig::of("archive", "to = 'Archive@example.com'");
        rig.mail(sender, recipients);
        rig.content("Subject: x\r\n\r\nbody\r\n");
        assert_eq!(rig.raise(Event::TransportSubmit).await, Decision::Proceed);
        assert_eq!(rig.header(), "Subject: x\r\n");
        rig.recipients()
    }

    #[tokio::test]
    async fn one_copy_that_the_header_does_not_show() {
        let copied = ["alice@example.com", "Archive@example.com"];
        assert_eq!(recipients_after("bob@example.org", &["alice@example.com"]).await, copied);
        assert_eq!(recipients_after("", &["alice@example.com"]).await, copied);
    }

    #[tokio::test]
    async fn mail_to_and_from_the_archive_is_left_alone() {
        assert_eq!(recipients_after("bob@example.org", &["archive@EXAMPLE.com"]).await, ["archive@EXAMPLE.com"]);
        assert_eq!(recipients_after("archive@example.com", &["alice@example.com"]).await, ["alice@example.com"]);
    }

    #[test]
    fn the_address_must_be_one() {
        let error = Rig::errors("archive", "to = 'archive'");
        assert!(error.contains("`archive` is not an address: the address has no domain"), "{error}");
        assert!(Rig::errors("archive", "").contains("the key `to` is missing"));
    }
}
