//! The questions about AUTH: the exchange of a mechanism, and who the client is.
//!
//! Sinks at `in.auth` decide first, then the user file or the introspection endpoint. Whatever is wrong, the client is told
//! the same (RFC 4954 6) after the same work; why, the log says. A failure is answered later and later, and in the end not
//! looked at: see [`Lockout`](crate::accounts::Lockout).

use super::ask::Asker;
use super::login::{Refused, Verdict};
use crate::accounts::kerberos::Context;
use crate::accounts::{Ticket, hash};
use crate::event::{Answer as SinkAnswer, Credentials, Decision, Event, Focus, Identity, Login, Proof};
use crate::mail::{EnhancedCode, Reply};
use crate::sasl::{self, Claim, Mechanism, Setup, Step, server};
use crate::smtp::{Answer, AuthCommand, Profile, Response, replies};
use std::sync::Arc;
use std::time::Duration;

/// One text for all that can be wrong.
pub(super) const INVALID: Reply = Reply::new(535, EnhancedCode(5, 7, 8), "Authentication credentials invalid");
/// Nothing was found out.
pub(super) const TEMPORARY: Reply =
    Reply::new(454, EnhancedCode(4, 7, 0), "Temporary authentication failure; please try again later");
const LOCKED: Reply = Reply::new(454, EnhancedCode(4, 7, 0), "Too many failed logins lately; please try again later");
const MALFORMED: Reply = Reply::new(501, EnhancedCode(5, 5, 2), "The message is not one of this mechanism's");
const ENOUGH: Reply = Reply::new(421, EnhancedCode(4, 7, 0), "Too many failed logins; closing");
/// Failed logins before a session is closed.
const FAILURES_MAX: u32 = 5;
/// Steps of a claimed mechanism.
const STEPS_MAX: u32 = 20;

/// An exchange under way.
pub(super) struct Exchange {
    mechanism: String,
    kind: Kind,
    /// Kerberos', once a ticket has come.
    pub(super) context: Option<Box<dyn Context>>,
    /// Counts as a failure until the exchange has ended well.
    pub(super) ticket: Option<Ticket>,
    /// Who the client is, once that is found out.
    identity: Option<Identity>,
    /// What a sink refused with.
    refusal: Option<Reply>,
    /// Whose credentials the client says they are: for the log.
    pub(super) user: Option<String>,
}

enum Kind {
    Ours(Box<dyn sasl::Server>),
    /// A sink's; the number of the step.
    Claimed(u32),
}

impl Asker {
    /// AUTH.
    pub(super) async fn auth(&mut self, command: AuthCommand) -> Answer {
        self.exchange = None;
        let AuthCommand { mechanism, initial } = command;
        let Some(own) = Mechanism::named(&mechanism) else {
            self.exchange = Some(Exchange::new(mechanism, Kind::Claimed(0)));
            return self.claimed(initial).await;
        };
        let Some(setup) = self.setup() else { return Answer::Refuse(TEMPORARY) };
        let mut own = server::start(own, setup);
        let step = match initial {
            Some(octets) => own.respond(&octets),
            None => own.open(),
        };
        self.exchange = Some(Exchange::new(mechanism, Kind::Ours(own)));
        self.drive(step).await
    }

    /// The client's answer to a challenge.
    pub(super) async fn auth_response(&mut self, Response(octets): Response) -> Answer {
        let step = match self.exchange.as_mut().map(|exchange| &mut exchange.kind) {
            None => return super::answer::lost(),
            Some(Kind::Ours(own)) => own.respond(&octets),
            Some(Kind::Claimed(step)) => {
                *step += 1;
                return self.claimed(Some(octets)).await;
            }
        };
        self.drive(step).await
    }

    fn setup(&self) -> Option<Setup> {
        let random: [u8; 18] = hash::random().inspect_err(|error| tracing::error!("{error}")).ok()?;
        let nonce = random.iter().map(|b| format!("{b:02x}")).collect();
        let plus = self.offers(Mechanism::ScramSha256Plus);
        Some(Setup { nonce, binding: self.channel(), plus })
    }

    /// Without the mechanisms that this connection has nothing for: a channel to bind to, a certificate.
    pub(super) fn with_usable_mechanisms(&self, profile: Arc<Profile>) -> Arc<Profile> {
        let usable = |name: &str| match Mechanism::named(name) {
            Some(Mechanism::ScramSha256Plus) => self.binding.is_some(),
            Some(Mechanism::External) => self.peer_certificate().is_some(),
            _ => true,
        };
        if profile.auth.mechanisms.iter().all(|mechanism| usable(&mechanism.name)) {
            return profile;
        }
        let mut own = Profile::clone(&profile);
        own.auth.mechanisms.retain(|mechanism| usable(&mechanism.name));
        Arc::new(own)
    }

    fn channel(&self) -> sasl::Binding {
        sasl::Binding { exporter: self.binding.map(|octets| octets.to_vec()), end_point: None }
    }

    fn offers(&self, mechanism: Mechanism) -> bool {
        let profile = self.snapshot.profiles.get(self.listener);
        self.binding.is_some() && profile.is_some_and(|p| p.auth.mechanism(mechanism.name()).is_some())
    }

    /// Goes on until the client has to say something, or all is said.
    async fn drive(&mut self, mut step: Step) -> Answer {
        loop {
            let next = match step {
                Step::Challenge(octets) => return Answer::Challenge(octets),
                Step::Done => return self.logged_in(),
                Step::Failed(server::Failure::Malformed(why)) => return self.malformed(why),
                Step::Failed(server::Failure::Refused(why)) => return self.refuse(why).await,
                Step::Keys(user) => self.keys(&user),
                Step::Context(ask) => self.ask_context(ask).await,
                Step::Check(claim) => self.settle_claim(claim).await,
            };
            step = match next {
                Ok(step) => step,
                Err(answer) => return answer,
            };
        }
    }

    pub(super) fn ours(&mut self) -> Result<&mut Box<dyn sasl::Server>, Answer> {
        match self.exchange.as_mut().map(|exchange| &mut exchange.kind) {
            Some(Kind::Ours(own)) => Ok(own),
            _ => Err(super::answer::lost()),
        }
    }

    fn keys(&mut self, user: &str) -> Result<Step, Answer> {
        self.begin_attempt(Some(user))?;
        let accounts = self.snapshot.settings.auth.accounts.clone().unwrap_or_default();
        Ok(self.ours()?.keys(accounts.keys(user)))
    }

    /// Has the claim checked, and tells the mechanism.
    async fn settle_claim(&mut self, claim: Claim) -> Result<Step, Answer> {
        let user = match &claim {
            Claim::Password { user, .. } | Claim::Proven { user, .. } => Some(user.as_str()),
            // Nobody guesses a token, a ticket or a certificate: others' names are not to be locked by them.
            Claim::Token { .. } | Claim::Principal { .. } | Claim::External { .. } => None,
        };
        self.begin_attempt(user)?;
        // Named in the log, whatever is counted.
        let claimed = claim.user().map(ToOwned::to_owned);
        self.keep(|exchange| exchange.user = claimed);
        let holds = match self.check(&claim).await {
            Verdict::Is(identity) => self.keep(|exchange| exchange.identity = Some(identity)).is_some(),
            Verdict::Refused(Refused { reply, why }) => {
                tracing::debug!(session = %self.state.id, "the login is refused: {why}");
                self.keep(|exchange| exchange.refusal = reply);
                false
            }
            Verdict::Unknown(reply) => {
                return Err(self.put_off(reply));
            }
            Verdict::Gone(reply) => {
                self.note_failure("a sink closes the session");
                return Err(Answer::Close(reply));
            }
        };
        Ok(self.ours()?.settle(holds))
    }

    /// Nothing was found out: that counts as no failure.
    pub(super) fn put_off(&mut self, reply: Reply) -> Answer {
        self.exchange.take().and_then(|exchange| exchange.ticket).into_iter().for_each(Ticket::give_back);
        Answer::Refuse(reply)
    }

    fn keep(&mut self, change: impl FnOnce(&mut Exchange)) -> Option<()> {
        self.exchange.as_mut().map(change)
    }

    /// The attempt is counted before anything is found out about it.
    pub(super) fn begin_attempt(&mut self, user: Option<&str>) -> Result<(), Answer> {
        let Some(exchange) = &mut self.exchange else { return Err(super::answer::lost()) };
        exchange.user = user.map(ToOwned::to_owned).or(exchange.user.take());
        let Some(client) = self.origin.client.filter(|_| exchange.ticket.is_none()) else { return Ok(()) };
        match self.server.logins.lockout.begin(self.snapshot.settings.auth.rules, user, client) {
            Ok(ticket) => {
                exchange.ticket = Some(ticket);
                Ok(())
            }
            Err(locked) => {
                let mechanism = &exchange.mechanism;
                tracing::warn!(session = %self.state.id, %client, %mechanism, user, locked = locked.as_str(), "login turned away: locked out");
                self.exchange = None;
                self.failures += 1;
                Err(if self.failures >= FAILURES_MAX { Answer::Close(ENOUGH) } else { Answer::Refuse(LOCKED) })
            }
        }
    }

    /// One step of a mechanism that a sink has claimed.
    async fn claimed(&mut self, octets: Option<Vec<u8>>) -> Answer {
        if let Err(answer) = self.begin_attempt(None) {
            return answer;
        }
        let (mechanism, number) = match &self.exchange {
            Some(Exchange { mechanism, kind: Kind::Claimed(number), .. }) => (mechanism.clone(), *number),
            _ => return super::answer::lost(),
        };
        let proof = Proof::Step { number, octets: octets.map(Into::into) };
        let credentials = Credentials { mechanism, user: None, authzid: None, proof };
        let decision = self.raise(Event::InAuth, Focus::Credentials(&credentials)).await;
        match decision {
            Decision::Answer(SinkAnswer::Login(Login::Challenge(octets))) if number < STEPS_MAX => {
                Answer::Challenge(octets.to_vec())
            }
            decision => match self.of_decision(decision) {
                Some(Verdict::Is(identity)) => {
                    self.keep(|exchange| exchange.identity = Some(identity));
                    self.logged_in()
                }
                Some(Verdict::Refused(Refused { reply, why })) => {
                    self.keep(|exchange| exchange.refusal = reply);
                    self.refuse(why).await
                }
                Some(Verdict::Unknown(reply)) => self.put_off(reply),
                Some(Verdict::Gone(reply)) => {
                    self.note_failure("a sink closes the session");
                    Answer::Close(reply)
                }
                None => self.refuse("no sink answered").await,
            },
        }
    }

    /// The client is who it says it is.
    fn logged_in(&mut self) -> Answer {
        let Some(Exchange { mechanism, ticket, identity: Some(identity), .. }) = self.exchange.take() else {
            return super::answer::lost();
        };
        ticket.into_iter().for_each(Ticket::succeed);
        tracing::info!(session = %self.state.id, client = self.origin.client.map(tracing::field::display), %mechanism, user = %identity.user, "logged in");
        self.origin.auth = Some(identity.user.as_str().into());
        self.senders = self.senders_of(&identity);
        self.renew_profile();
        Answer::Say(replies::AUTHENTICATED)
    }

    /// The message is none of the mechanism's: that tells nothing about any user.
    fn malformed(&mut self, why: &str) -> Answer {
        self.note_failure(why);
        Answer::Refuse(MALFORMED)
    }

    /// The credentials are not good. The answer comes later with each failure.
    async fn refuse(&mut self, why: &str) -> Answer {
        let exchange = self.exchange.as_mut();
        let reply = exchange.and_then(|exchange| exchange.refusal.take()).unwrap_or(INVALID);
        let delay = self.note_failure(why);
        self.wait(delay).await;
        self.failures += 1;
        if self.failures >= FAILURES_MAX { Answer::Close(ENOUGH) } else { Answer::Refuse(reply) }
    }

    /// Ends the exchange as one that failed, and how long that holds the answer back.
    fn note_failure(&mut self, why: &str) -> Duration {
        let Some(Exchange { mechanism, ticket, user, .. }) = self.exchange.take() else { return Duration::ZERO };
        tracing::info!(session = %self.state.id, client = self.origin.client.map(tracing::field::display), %mechanism, user, "login failed: {why}");
        let delay = ticket.as_ref().map(|ticket| ticket.delay).unwrap_or_default();
        ticket.into_iter().for_each(Ticket::fail);
        delay
    }
}

impl Exchange {
    fn new(mechanism: String, kind: Kind) -> Self {
        Self { mechanism, kind, context: None, ticket: None, identity: None, refusal: None, user: None }
    }

    /// The mechanism's name.
    pub(super) fn mechanism(&self) -> &str {
        &self.mechanism
    }
}
