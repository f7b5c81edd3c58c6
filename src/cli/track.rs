//! The track of a message as people read it: a line for each step.

use super::out::printable;
use super::table::Table;
use crate::intake::Step;
use std::io::{self, Write};

/// Prints the steps, if there are any.
pub(super) fn print(steps: &[Step], out: &mut impl Write) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "  track")?;
    let mut lines = Table::default().indent(4).one_line();
    for step in steps {
        let name = serde_json::to_value(step.step).ok().and_then(|name| name.as_str().map(str::to_owned));
        lines.row([step.time.to_string(), name.unwrap_or_default(), printable(&about(step))]);
    }
    lines.print(out)
}

/// Whom and where to, and what was said.
fn about(step: &Step) -> String {
    let count = |n: usize| if n == 1 { "1 recipient".to_owned() } else { format!("{n} recipients") };
    let parts = [
        step.recipient.as_ref().map(ToString::to_string),
        step.recipients.map(count),
        step.domain.as_ref().filter(|_| step.recipient.is_none()).map(|domain| format!("of {domain}")),
        step.host.as_ref().map(|host| format!("by {host}")),
        step.attempt.map(|n| format!("attempt {n}")),
        step.reply.clone(),
        step.by.as_ref().map(|by| format!("decided by: {by}")),
        step.next.map(|next| format!("next {next}")),
        step.other.map(|id| format!("see {id}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::track::Stage;
    use crate::mail::{Id, Timestamp};

    #[test]
    fn one_line_for_each_step() {
        let mut tried = Step::new(Timestamp(1000), Id(7), Stage::Deferred);
        (tried.recipient, tried.attempt) = (Some("bob@b.example".into()), Some(2));
        (tried.host, tried.reply) = (Some("mx.b.example:25".into()), Some("451 4.7.1 Later\x1b".into()));
        let mut out = Vec::new();
        print(&[Step::new(Timestamp(0), Id(7), Stage::Submitted), tried], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].ends_with("submitted"), "{text}");
        assert!(
            lines[2].ends_with("deferred   bob@b.example  by mx.b.example:25  attempt 2  451 4.7.1 Later\\u{1b}"),
            "{text}"
        );
    }
}
