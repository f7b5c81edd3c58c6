//! The sink `subject-tag`: puts a tag in front of the subject of messages that a header field, or a list of senders, marks.
//!
//! The first rule that holds gives the tag. A subject that has the tag already keeps one, so that a thread does not collect
//! them. What stands behind the tag is not touched, encoded words included.

use mailsluice_sink::{Fault, Glob, Heard, On, Ruling, config, hears, on, tables};
use serde::Deserialize;

/// `[sink.config]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rule: Vec<Rule>,
}

/// One rule: all of its conditions must hold. Without any, it always does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// In front of the subject, with a space behind it.
    tag: String,
    /// This header field is there,
    header: Option<String>,
    /// and one of that name is like this.
    like: Option<Glob>,
    /// The sender stands in this table.
    sender_in: Option<String>,
}

struct SubjectTag(Vec<Rule>);

impl SubjectTag {
    fn open() -> Result<Self, Fault> {
        let Config { rule: rules } = config()?;
        for rule in &rules {
            if rule.tag.is_empty() || !rule.tag.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                return Err(Fault::error(format!("[sink.config]: tag `{}` should be printable ASCII", rule.tag)));
            }
            if rule.like.is_some() && rule.header.is_none() {
                return Err(Fault::error(format!("[sink.config]: `like` needs `header`, at tag `{}`", rule.tag)));
            }
        }
        Ok(Self(rules))
    }
}

fn holds(rule: &Rule, heard: &Heard<'_, on::TransportSubmit>) -> Result<bool, Fault> {
    if let Some(header) = &rule.header {
        let values = heard.headers(header);
        let like = |value: &String| rule.like.as_ref().is_none_or(|glob| glob.matches(value.trim()));
        if !values.iter().any(like) {
            return Ok(false);
        }
    }
    let (Some(table), sender) = (&rule.sender_in, heard.sender()) else { return Ok(true) };
    Ok(sender.map_or(Ok(None), |sender| tables::lookup(table, &sender))?.is_some())
}

impl On<on::TransportSubmit> for SubjectTag {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        for rule in &self.0 {
            if holds(rule, heard)? {
                tag(&rule.tag, heard)?;
                break;
            }
        }
        Ok(Ruling::next())
    }
}

fn tag(tag: &str, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<(), Fault> {
    if heard.header("Subject").is_some_and(|subject| subject.contains(tag)) {
        return Ok(());
    }
    // The value as it stands: what was encoded stays so.
    let subject = heard.fields().into_iter().find(|field| field.name.eq_ignore_ascii_case("Subject"));
    let subject = subject.map(|field| field.value).unwrap_or_default();
    heard.set_header("Subject", format!("{tag} {subject}").trim_end())
}

hears!(SubjectTag { TransportSubmit } open = SubjectTag::open, self_test = |_| Ok(()));

#[cfg(test)]
mod tests {
    use super::*;
    use mailsluice_sink::test::World;
    use serde_json::json;

    fn world() -> World {
        World::new().table("partners", [("*@partner.example", ""), ("dora@other.example", "")]).config(
            json!({ "rule": [
            { "tag": "[spam?]", "header": "X-Spam-Flag", "like": "yes*" },
            { "tag": "[list]", "header": "List-Id" },
            { "tag": "[partner]", "sender_in": "partners" },
        ] }),
        )
    }

    fn edits(world: &World) -> Vec<String> {
        let sink: SubjectTag = world.open().unwrap();
        let raised = world.raise::<on::TransportSubmit>(&sink).unwrap();
        assert_eq!(raised.verdict(), "next");
        raised.edits()
    }

    #[test]
    fn the_first_rule_that_holds_gives_the_tag() {
        let marked = world().content("X-Spam-Flag: YES, 9.1\r\nList-Id: <a.b>\r\nSubject: Hello\r\n\r\n");
        assert_eq!(edits(&marked), ["set Subject: [spam?] Hello"]);
        let list = world().content("X-Spam-Flag: no\r\nList-Id: <a.b>\r\nSubject: Hello\r\n\r\n");
        assert_eq!(edits(&list), ["set Subject: [list] Hello"]);
        assert!(edits(&world().content("Subject: Hello\r\n\r\n")).is_empty());
    }

    #[test]
    fn a_list_names_addresses_and_domains() {
        for (sender, tagged) in
            [("anna@partner.example", true), ("dora@other.example", true), ("x@other.example", false), ("<>", false)]
        {
            let world = world().sender(sender).content("Subject: Hello\r\n\r\n");
            assert_eq!(!edits(&world).is_empty(), tagged, "{sender}");
        }
    }

    #[test]
    fn one_tag_is_enough_and_a_subject_need_not_be_there() {
        let reply = world().content("List-Id: <a.b>\r\nSubject: Re: [list] Hello\r\n\r\n");
        assert!(edits(&reply).is_empty());
        let none = world().content("List-Id: <a.b>\r\n\r\n");
        assert_eq!(edits(&none), ["set Subject: [list]"]);
    }

    #[test]
    fn encoded_words_stay_as_they_are() {
        let encoded = world().content("List-Id: <a.b>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n");
        assert_eq!(edits(&encoded), ["set Subject: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?="]);
        let again = world().content("List-Id: <a.b>\r\nSubject: =?utf-8?q?=5Blist=5D_Gr=C3=BC=C3=9Fe?=\r\n\r\n");
        assert!(edits(&again).is_empty());
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused() {
        for (rule, told) in [
            (json!({ "tag": "" }), "printable ASCII"),
            (json!({ "tag": "[ü]" }), "printable ASCII"),
            (json!({ "tag": "[a]", "like": "x" }), "`like` needs `header`"),
            (json!({ "tag": "[a]", "headers": "x" }), "unknown field `headers`"),
        ] {
            let fault = World::new().config(json!({ "rule": [rule] })).open::<SubjectTag>().err().unwrap();
            assert!(fault.text().contains(told), "{fault}");
        }
    }
}
