//! Why there is no certificate, and when the authority wants to be asked again.

use crate::mail::{Timestamp, one_line};
use instant_acme::{Error, Problem};
use std::fmt;

/// What is kept of what an authority says, in characters.
const TEXT_MAX: usize = 500;

/// What went wrong with one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// For the operator, on one line.
    pub(super) why: String,
    /// Not to be asked before then.
    pub(super) after: Option<Timestamp>,
    /// The authority does not know the account any more.
    pub(super) no_account: bool,
    /// The authority did not take nonces that it had given out: nothing is wrong (RFC 8555 6.5).
    pub(super) stale: bool,
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        let why: String = why.into();
        Self { why: one_line(why.chars().take(TEXT_MAX).collect()), after: None, no_account: false, stale: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(problem) => Self {
                no_account: is(&problem, "accountDoesNotExist"),
                stale: is(&problem, "badNonce"),
                ..Self::new(format!("the authority refuses: {}", text(&problem)))
            },
            Error::Timeout(_) => Self::new("the authority has not come to a decision in time"),
            Error::Json(_) => Self::new("what answers is no authority: it does not speak JSON as RFC 8555 has it"),
            other => Self::new(other.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What an authority says, with the kind of problem behind it.
pub(super) fn text(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or(kind);
    let detail = problem.detail.as_deref().unwrap_or("it does not say why");
    let parts = problem.subproblems.iter().map(|sub| format!("; {sub}"));
    format!("{detail} ({kind}){}", parts.collect::<String>())
}

fn is(problem: &Problem, kind: &str) -> bool {
    problem.r#type.as_deref().and_then(|known| known.rsplit(':').next()) == Some(kind)
}
