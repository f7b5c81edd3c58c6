//! The sink `attachments`: refuses, removes or holds files by type, name or size.
//!
//! Every part that has a name or is no text of the message is looked at, in forwarded messages too as far as the server opens them.
//! For each part the first rule that holds decides; for the message, a refusal goes before a hold, and a hold before removals.
//! It goes by what a part is called, not by what is in it: it is no virus scanner.

mod name;
mod rule;

use mailsluice_sink::{Attachment, Fault, Heard, On, Part, Ruling, config, hears, info, on};
use rule::{Action, Rule};
use serde::Deserialize;

/// `[sink.config]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rule: Vec<Rule>,
    /// What becomes of a message whose MIME structure can't be read: a policy that lets it pass is easily evaded.
    #[serde(default = "hold")]
    unreadable: Action,
}

fn hold() -> Action {
    Action::Hold
}

struct Attachments(Config);

impl Attachments {
    fn open() -> Result<Self, Fault> {
        let config: Config = config()?;
        config.rule.iter().try_for_each(Rule::check)?;
        if config.unreadable == Action::Remove {
            return Err(Fault::error(
                "[sink.config]: nothing can be removed from what can't be read: say reject, hold or next",
            ));
        }
        Ok(Self(config))
    }

    /// The parts that a rule is about, each with the first that holds.
    fn findings<'a>(&'a self, parts: &'a [Part]) -> Vec<(&'a Part, &'a Rule)> {
        let files = parts.iter().filter(|part| !part.is_multipart && (part.is_attachment || part.file_name.is_some()));
        files.filter_map(|part| self.0.rule.iter().find(|rule| rule.holds(part)).map(|rule| (part, rule))).collect()
    }
}

/// What the log and the peer may call a part.
fn title(part: &Part) -> &str {
    part.file_name.as_deref().unwrap_or(&part.content_type)
}

fn refusal(text: Option<&str>, title: &str) -> Ruling<on::TransportSubmit> {
    Ruling::reject(5, 7, 1, &text.map_or_else(|| format!("We don't accept files like {title}"), ToOwned::to_owned))
}

fn remove(part: &Part, rule: &Rule, heard: &mut Heard<'_, on::TransportSubmit>) {
    info!("removed {}", title(part));
    match &rule.note {
        None => heard.remove_part(part),
        Some(note) => {
            let data = format!("{}: {note}\r\n", title(part)).into_bytes();
            let content_type = "text/plain; charset=utf-8".to_owned();
            heard.replace_attachment(part, &Attachment { file_name: "removed.txt".to_owned(), content_type, data });
        }
    }
}

impl On<on::TransportSubmit> for Attachments {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        let parts = match (heard.parts(), self.0.unreadable) {
            (Ok(parts), _) => parts,
            (Err(_), Action::Reject) => return Ok(Ruling::reject(5, 6, 0, "The MIME structure can't be read")),
            (Err(fault), Action::Hold) => return Ok(Ruling::hold(format!("attachments can't be checked: {fault}"))),
            (Err(_), _) => return Ok(Ruling::next()),
        };
        let findings = self.findings(&parts);
        let first = |action| findings.iter().find(|(_, rule)| rule.action == action);
        if let Some((part, rule)) = first(Action::Reject) {
            return Ok(refusal(rule.text.as_deref(), title(part)));
        }
        if let Some((part, rule)) = first(Action::Hold) {
            let reason = rule.text.clone().unwrap_or_else(|| format!("attachment {}", title(part)));
            return Ok(Ruling::hold(reason));
        }
        for (part, rule) in findings.iter().filter(|(_, rule)| rule.action == Action::Remove) {
            remove(part, rule, heard);
        }
        Ok(Ruling::next())
    }
}

hears!(Attachments { TransportSubmit } open = Attachments::open, self_test = |_| Ok(()));

#[cfg(test)]
mod tests;
