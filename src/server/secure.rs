//! STARTTLS and the handshake: what they mean for a session.

use super::answer;
use super::ask::Asker;
use crate::event::{Event, Focus};
use crate::mail::{EnhancedCode, Reply, TlsFacts};
use crate::smtp::Answer;
use crate::tls;
use std::io;
use std::sync::Arc;

/// RFC 3207 4.
const NOT_AVAILABLE: Reply = Reply::new(454, EnhancedCode(4, 7, 0), "TLS is not available at present");

impl Asker {
    /// The TLS of the listener: the one in force now, with the newest certificates, or else the one that was offered.
    pub(super) fn tls(&self) -> Option<Arc<tls::Server>> {
        let newest = self.server.current.pin();
        let of = |snapshot: &crate::snapshot::Snapshot| snapshot.tls.get(self.listener).cloned().flatten();
        of(&newest).or_else(|| of(&self.snapshot))
    }

    /// STARTTLS.
    pub(super) fn start_tls(&self) -> Answer {
        let certified = self.tls().is_some_and(|tls| tls.is_certified());
        if certified { Answer::Go } else { Answer::Refuse(NOT_AVAILABLE) }
    }

    /// The handshake went well.
    pub(super) fn secured(&mut self, facts: TlsFacts, binding: Option<[u8; 32]>) {
        tracing::debug!(session = %self.state.id, version = %facts.version, cipher = %facts.cipher, sni = facts.sni, "TLS");
        self.server.handshakes.done(&facts.version);
        self.origin.tls = Some(Arc::new(facts));
        self.binding = binding;
    }

    /// The handshake failed.
    pub(super) fn handshake_failed(&self, reason: &io::Error) {
        self.server.handshakes.fail();
        let (client, listener) = (self.origin.client.map(tracing::field::display), self.origin.listener.as_deref());
        let reason = tls::failure(reason);
        tracing::info!(session = %self.state.id, client, listener, %reason, "the TLS handshake failed");
    }

    /// `in.tls`. Whatever the client said in the clear is void, and so is what sinks made of it (RFC 3207 4.2).
    pub(super) async fn tls_done(&mut self) -> Answer {
        self.origin.helo = None;
        self.origin.auth = None;
        self.forget_client();
        (self.exchange, self.senders) = (None, None);
        self.extended = false;
        self.state.facts.clone_from(&self.unspoken);
        let decision = self.raise(Event::InTls, Focus::None).await;
        self.unspoken.clone_from(&self.state.facts);
        self.renew_profile();
        match answer::of_session(decision) {
            Err((answer, reply)) => {
                self.note_session(&reply);
                answer
            }
            Ok(()) => Answer::Go,
        }
    }
}
