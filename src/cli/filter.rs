//! The options that pick messages, the same for every command.

use super::time;
use crate::admin::Filter;
use crate::mail::{Id, Timestamp};
use clap::Args;
use std::time::Duration;

/// By sender and recipients.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct People {
    /// Only from this envelope sender; `*` and `?` are wild, `<>` is the null sender
    #[arg(long, value_name = "GLOB")]
    sender: Option<String>,
    /// Only with this recipient; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    recipient: Option<String>,
    /// Only with a recipient in this domain; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    domain: Option<String>,
}

/// By client and time.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Session {
    /// Only from this client address or network, such as 192.0.2.0/24
    #[arg(long, value_name = "NETWORK")]
    client: Option<String>,
    /// Only since then: a span such as 2h, or a time such as 2026-11-23T15:00:00Z or 2026-11-23
    #[arg(long, value_name = "TIME", value_parser = time::point)]
    since: Option<Timestamp>,
}

/// By what is known of a message in the queue.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Queued {
    /// Only these messages
    #[arg(value_name = "ID")]
    ids: Vec<Id>,
    #[command(flatten)]
    people: People,
    /// Only what was last tried at this host; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    site: Option<String>,
    /// Only with this property, such as queue.tenant or queue.tenant=acme; `*` and `?` are wild behind the `=`
    #[arg(long, value_name = "NAME[=GLOB]")]
    property: Option<String>,
    /// Only what this sink was the last to hold or defer; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    sink: Option<String>,
    /// Only what waits for this reason, or with this last reply, such as '4?? *greylist*'; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    why: Option<String>,
    /// Only what is held
    #[arg(long)]
    held: bool,
    /// Only what was accepted longer ago than this, such as 2h
    #[arg(long, value_name = "SPAN", value_parser = time::duration)]
    older_than: Option<Duration>,
}

impl People {
    pub(super) fn filter(self) -> Filter {
        Filter { sender: self.sender, recipient: self.recipient, domain: self.domain, ..Filter::default() }
    }
}

impl Session {
    pub(super) fn add_to(self, filter: Filter) -> Filter {
        Filter { client: self.client, since: self.since, ..filter }
    }
}

impl Queued {
    pub(super) fn filter(self) -> Filter {
        let until = self.older_than.map(|age| {
            let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            Timestamp(time::now().0.saturating_sub(age))
        });
        Filter {
            ids: self.ids,
            site: self.site,
            property: self.property,
            sink: self.sink,
            reason: self.why,
            held: self.held,
            until,
            ..self.people.filter()
        }
    }
}
