//! The guard that asks for recipients at their next hop (`recipients.verify`), before any sink hears of them.
//!
//! Every client is asked the same of, also one that may relay anyway. `<Postmaster>` is local and never asked for.

use super::ask::Asker;
use crate::directory::Existence;
use crate::mail::{EnhancedCode, ForwardPath, Reply, Standing};

/// Nobody knows whether the recipient exists. Never 550: a next hop that is down must not make its users unknown.
const UNVERIFIED: Reply =
    Reply::new(451, EnhancedCode(4, 4, 3), "The recipient can't be verified at present; please try again later");

/// How a recipient stands once its next hop has been asked.
pub(super) enum Verified {
    /// As before; nobody had to be asked, or the answer was yes.
    Stands,
    /// Its next hop does not know it: what the client is told, if no sink vouches for it.
    Unknown(Reply),
    /// There was no answer: what the client is told.
    Unanswered(Reply),
}

impl Asker {
    /// Asks for a recipient, if its domain is one whose recipients are asked for.
    pub(super) async fn verify(&self, path: &ForwardPath, standing: Standing) -> Verified {
        let (Some(mail), Some(verify), Some(mailbox)) = (&self.mail, &self.server.verify, path.mailbox()) else {
            return Verified::Stands;
        };
        let domains = &mail.snapshot.settings.recipients.verify;
        if standing != Standing::Relay || domains.is_empty() || !domains.contains(&mailbox.domain_key().into_owned()) {
            return Verified::Stands;
        }
        let existence = tokio::select! {
            biased;
            () = self.server.stopping.cancelled() => Existence::Unknown("the server stops".to_owned()),
            existence = verify.exists(mailbox, &self.origin) => existence,
        };
        match existence {
            Existence::Yes => Verified::Stands,
            Existence::No(reply) => Verified::Unknown(reply),
            Existence::Unknown(why) => {
                tracing::info!(id = %mail.transaction.id, recipient = %mailbox, "the recipient could not be verified: {why}");
                Verified::Unanswered(UNVERIFIED)
            }
        }
    }
}
