//! `headers`: removes, sets and adds header fields of every message, in this order.
//!
//! Names and values are checked when the manifest is: what is written here can't spoil a message later.

use super::value::{Field, FieldName};
use crate::event::{Env, Fault, Heard, On, Ruling, on};
use serde::Deserialize;

/// `[sink.config]` of `headers`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Fields of these names are taken out.
    remove: Vec<FieldName>,
    /// These fields are there once, with this value.
    set: Vec<Field>,
    /// These fields are added below the others.
    add: Vec<Field>,
}

/// The sink.
pub(super) struct Headers(Config);

/// Opens the sink.
pub(super) fn open(config: Config, _: &mut Env) -> Result<Headers, &'static str> {
    if config.remove.is_empty() && config.set.is_empty() && config.add.is_empty() {
        return Err("it would do nothing: give it `add`, `set` or `remove`");
    }
    Ok(Headers(config))
}

impl On<on::TransportSubmit> for Headers {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        let Config { remove, set, add } = &self.0;
        remove.iter().for_each(|name| heard.remove_header(&name.0));
        set.iter().for_each(|field| heard.set_header(&field.name.0, &field.value.0));
        add.iter().for_each(|field| heard.append_header(&field.name.0, &field.value.0));
        Ok(Ruling::next())
    }
}

crate::hears!(Headers { TransportSubmit: now });

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Decision, Event};

    #[tokio::test]
    async fn removes_then_sets_then_adds() {
        let config = "
            add = [{ name = 'X-Passed', value = 'one' }, { name = 'X-Passed', value = 'two' }]
            set = [{ name = 'Subject', value = 'new' }, { name = 'X-Class', value = 'bulk' }]
            remove = ['x-spam', 'X-Class']";
        let mut rig = Rig::of("headers", config);
        rig.mail("bob@example.org", &["alice@example.com"]);
        rig.content("X-Spam: yes\r\nSubject: old\r\nX-Class: a\r\nTo: alice\r\n\r\nbody\r\n");
        assert_eq!(rig.raise(Event::TransportSubmit).await, Decision::Proceed);
        let header = "Subject: new\r\nTo: alice\r\nX-Class: bulk\r\nX-Passed: one\r\nX-Passed: two\r\n";
        assert_eq!(rig.header(), header);
    }

    #[test]
    fn what_could_not_be_written_is_refused_at_load() {
        for (config, told) in [
            ("remove = ['Bad Name']", "`Bad Name` is not a header field name"),
            ("add = [{ name = 'X', value = \"a\\r\\nBcc: b\" }]", "line break"),
            ("add = [{ name = 'X' }]", "the key `value` is missing"),
            ("ad = []", "did you mean `add`?"),
            ("", "give it `add`, `set` or `remove`"),
        ] {
            let error = Rig::errors("headers", config);
            assert!(error.contains(told), "{config}: {error}");
        }
    }
}
