//! Rules: the condition on a binding, compiled once.
//!
//! Keys of one table must all hold, a list means any of it. What is absent never matches, so its `not` does.

pub mod compile;
mod test;

pub use test::{Compare, Key, Number, Pattern, Test};

use super::scene::Scene;
use crate::mail::{Origin, Recipient, Standing};

/// A compiled `when`.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Every one holds. An empty one always does.
    All(Vec<Rule>),
    /// One of them holds. An empty one never does.
    Any(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// One key's test.
    Test(Test),
}

impl Rule {
    /// Whether the rule holds for what is known.
    pub fn holds(&self, scene: &Scene<'_>) -> bool {
        self.eval(&|test| test.holds(scene))
    }

    /// Whether it holds if the recipient were this one.
    pub fn holds_for(&self, scene: &Scene<'_>, recipient: &Recipient) -> bool {
        self.eval(&|test| match test.holds_for(recipient) {
            Some(holds) => holds,
            None => test.holds(scene),
        })
    }

    fn eval(&self, leaf: &dyn Fn(&Test) -> bool) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|r| r.eval(leaf)),
            Self::Any(rules) => rules.iter().any(|r| r.eval(leaf)),
            Self::Not(rule) => !rule.eval(leaf),
            Self::Test(test) => leaf(test),
        }
    }

    /// Whether the rule may come to hold in a session of which only the origin is known; none: that depends on what is not known yet.
    pub fn possible(&self, origin: &Origin) -> Option<bool> {
        match self {
            Self::All(rules) => all(rules.iter().map(|r| r.possible(origin))),
            Self::Any(rules) => all(rules.iter().map(|r| r.possible(origin).map(|held| !held))).map(|none| !none),
            Self::Not(rule) => rule.possible(origin).map(|held| !held),
            Self::Test(test) => test.of_origin(origin),
        }
    }

    /// Whether the rule asks for recipients of this standing by name. To exclude a standing is not to name it.
    pub fn names(&self, standing: Standing) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(|r| r.names(standing)),
            Self::Not(_) => false,
            Self::Test(test) => test.standing() == Some(standing),
        }
    }

    /// Whether the rule reads header fields.
    pub fn tests_header(&self) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(Self::tests_header),
            Self::Not(rule) => rule.tests_header(),
            Self::Test(test) => test.reads_header(),
        }
    }
}

/// Whether all hold: one that does not says no, whatever is unknown of the others.
fn all(held: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for one in held {
        if one == Some(false) {
            return Some(false);
        }
        known &= one.is_some();
    }
    known.then_some(true)
}
