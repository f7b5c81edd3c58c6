//! The users of tests, and AUTH in memory: the mechanisms of the server without its locks, sinks and certificates.

use mailsluice::accounts::{Account, Accounts, Hash};
use mailsluice::mail::{EnhancedCode, Reply};
use mailsluice::sasl::scram::Keys;
use mailsluice::sasl::server::{self, Failure, Setup, Step};
use mailsluice::sasl::{Binding, Claim, Mechanism, Server};
use mailsluice::smtp::Answer;
use std::sync::{Arc, LazyLock};

const INVALID: Reply = Reply::new(535, EnhancedCode(5, 7, 8), "Authentication credentials invalid");
const MALFORMED: Reply = Reply::new(501, EnhancedCode(5, 5, 2), "The message is not one of this mechanism's");

/// A hash of `pencil` that is quick to check.
pub(crate) const PENCIL: &str = "$2y$05$48NTMt1JiOEG7TVhsWPNT..Tri19qfZu0bNZlI4Hhdn3mJ98P4QRe";

/// alice and bob, whose password is `pencil`, and carol, who is disabled.
pub(crate) static ACCOUNTS: LazyLock<Arc<Accounts>> = LazyLock::new(|| {
    let mut accounts = Accounts::default();
    for (name, disabled) in [("alice", false), ("bob", false), ("carol", true)] {
        let keys = Some(Box::new(Keys::of_password("pencil", b"0123456789abcdef", 4096)));
        accounts.add(Account { hash: Hash::parse(PENCIL).ok(), keys, disabled, ..Account::new(name) });
    }
    Arc::new(accounts)
});

/// The exchange of a session.
#[derive(Default)]
pub(crate) struct Logins {
    exchange: Option<Box<dyn Server>>,
    /// There is a channel to bind to, and SCRAM-SHA-256-PLUS is offered.
    pub(crate) bound: bool,
}

impl Logins {
    /// AUTH. Nothing if the mechanism is none of the server's own.
    pub(crate) fn begin(&mut self, mechanism: &str, initial: Option<&[u8]>) -> Option<Answer> {
        let exporter = self.bound.then(|| vec![7; 32]);
        let binding = Binding { exporter, end_point: None };
        let setup = Setup { nonce: "0123456789".to_owned(), binding, plus: self.bound };
        let mut own = server::start(Mechanism::named(mechanism)?, setup);
        let step = match initial {
            Some(octets) => own.respond(octets),
            None => own.open(),
        };
        self.exchange = Some(own);
        Some(self.drive(step))
    }

    /// A response. Nothing if none of the server's mechanisms is under way.
    pub(crate) fn respond(&mut self, octets: &[u8]) -> Option<Answer> {
        let step = self.exchange.as_mut()?.respond(octets);
        Some(self.drive(step))
    }

    fn drive(&mut self, mut step: Step) -> Answer {
        while let Some(own) = &mut self.exchange {
            step = match step {
                Step::Keys(user) => own.keys(ACCOUNTS.keys(&user)),
                Step::Check(claim) => own.settle(holds(&claim)),
                Step::Challenge(octets) => return Answer::Challenge(octets),
                end => {
                    self.exchange = None;
                    end
                }
            }
        }
        match step {
            Step::Done => Answer::Go,
            Step::Failed(Failure::Malformed(_)) => Answer::Refuse(MALFORMED),
            _ => Answer::Refuse(INVALID),
        }
    }
}

fn holds(claim: &Claim) -> bool {
    let is_known = |user: &str| ACCOUNTS.find(user).is_some_and(|account| !account.disabled);
    claim.authzid().is_none()
        && match claim {
            Claim::Password { user, password, .. } => ACCOUNTS.check(user, password.expose()).user.is_some(),
            Claim::Proven { user, .. } => is_known(user),
            Claim::External { .. } | Claim::Token { .. } | Claim::Principal { .. } => false,
        }
}
