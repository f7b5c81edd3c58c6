//! The seam: events, sinks, verdicts and edits, and the dispatcher that brings them together.
//!
//! # When a sink is called, and in what form
//!
//! The core raises an [`Event`] at a point of the [`catalogue`]. The [`Dispatcher`] walks the bindings of that event in
//! their order; each whose [`Rule`] holds has its [`Sink`] called once with a [`Scene`], a view of everything known at
//! that point, and an empty list of [`Edits`]. The sink answers with a [`Verdict`] at once, later, or from a blocking
//! thread. If it returns well, its edits are applied and the next sink sees them; if it fails, nothing has changed and
//! the binding's fault policy decides. What comes out is one [`Decision`], on which the core acts.
//!
//! A sink writes nowhere: it returns data.

pub mod binding;
pub mod breaker;
mod call;
pub mod catalogue;
pub mod claim;
pub mod command;
pub mod companions;
mod copy;
pub mod dispatcher;
pub mod edit;
pub mod fault;
pub mod files;
pub mod generated;
pub mod host;
mod kinds;
pub mod ledger;
pub mod leg;
pub mod list;
pub mod login;
pub mod native;
pub mod networks;
mod notify;
pub mod plan;
pub mod rule;
pub mod scene;
pub mod sink;
pub mod split;
mod stage;
pub mod table;
pub mod transaction;
pub mod typed;
pub mod verdict;
pub mod watchdog;

pub use crate::mail::glob;
pub use binding::{Binding, Place, Registered};
pub use catalogue::{CATALOGUE, Event, Kind, OnFault, Spec, on};
pub use claim::{Conditions, Met, VerbClaim};
pub use command::{CommandAnswer, Further, Want};
pub use companions::Companions;
pub use dispatcher::Dispatcher;
pub use edit::{EDITS_MAX, Edit, Edits};
pub use fault::{Fault, FaultKind};
pub use files::Files;
pub use generated::{Generated, NewMessage};
pub use ledger::{Ledger, LedgerEntry};
pub use leg::{Leg, Question, Resolution, RouteHop, SinkOutcome};
pub use login::{Credentials, Identity, Login, Proof};
pub use native::{Env, Factory, Natives};
pub use plan::{Plan, PlanEdit};
pub use rule::Rule;
pub use scene::{Scene, View};
pub use sink::{Claims, Hearing, Interest, Needs, Reuse, Sink, Vitals};
pub use split::Split;
pub use stage::Stage;
pub use table::Table;
pub use transaction::{Candidate, Focus, Letter, SessionFacts, SessionState, Transaction};
pub use typed::{Heard, On, OnBlocking, OnLater, Ruling};
pub use verdict::{Answer, Decision, Verdict};
