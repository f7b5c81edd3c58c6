//! What a listener offers beside the protocol's usual extensions: each may ask something of the queue, so each is a setting.

use crate::config::diagnostic::Diagnostics;
use crate::config::reader::Table;
use crate::config::tree::{Node, Value};
use crate::config::values::{boolean, duration_above_zero, wrong_kind};
use crate::mail::Role;
use crate::mail::wishes::SECONDS_MAX;
use std::time::Duration;

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extensions {
    /// `future-release`: FUTURERELEASE (RFC 4865), and how long a message may be held at most; on submission listeners alone.
    /// Default: not offered.
    pub future_release: Option<Duration>,
    /// `deliver-by`: DELIVERBY (RFC 2852), and the least time that is accepted of those who want their message back if it is late.
    /// `true` sets none. Default: not offered.
    pub deliver_by: Option<Duration>,
    /// `mt-priority`: MT-PRIORITY (RFC 6710). Default: false.
    pub mt_priority: bool,
    /// `requiretls`: REQUIRETLS (RFC 8689), in encrypted sessions. Default: true.
    pub requiretls: bool,
}

impl Default for Extensions {
    fn default() -> Self {
        Self { future_release: None, deliver_by: None, mt_priority: false, requiretls: true }
    }
}

impl Extensions {
    pub(super) fn read(table: &mut Table<'_>, role: Role, found: &mut Diagnostics) -> Self {
        let future_release = table.get("future-release", found, span);
        if future_release.is_some() && role != Role::Submission {
            let told = found
                .error(table.place("future-release"), "`future-release` is for listeners of the role \"submission\"");
            told.help("RFC 4865 lets users alone have their mail held; leave it out here");
        }
        Self {
            future_release,
            deliver_by: table.get("deliver-by", found, on_or_span).flatten(),
            mt_priority: table.get("mt-priority", found, boolean).unwrap_or(false),
            requiretls: table.get("requiretls", found, boolean).unwrap_or(true),
        }
    }
}

/// Whole seconds, as many as the protocol can say.
fn span(node: &Node, found: &mut Diagnostics) -> Option<Duration> {
    let span = duration_above_zero(node, found)?;
    let fits = (1..=u64::from(SECONDS_MAX)).contains(&span.as_secs()) && span.subsec_nanos() == 0;
    if !fits {
        found.error(node.span, "the protocol counts in whole seconds, up to 999999999").label("can't be announced");
    }
    fits.then_some(span)
}

fn on_or_span(node: &Node, found: &mut Diagnostics) -> Option<Option<Duration>> {
    match node.value {
        Value::Bool(on) => Some(on.then_some(Duration::ZERO)),
        Value::String(_) => span(node, found).map(Some),
        _ => {
            wrong_kind(node, "true, false or a duration such as \"1m\"", found);
            None
        }
    }
}
