//! The policy at work.

use super::*;
use mailsluice_sink::test::{Raised, World};
use serde_json::{Value, json};

fn message(files: &[(&str, &str, usize)]) -> String {
    let mut content =
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
            .to_owned();
    for (name, content_type, size) in files {
        content += &format!(
            "--b\r\nContent-Type: {content_type}\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n",
            "x".repeat(*size)
        );
    }
    content + "--b--\r\n"
}

fn raise(rules: Value, files: &[(&str, &str, usize)]) -> Raised {
    let world = World::new().config(json!({ "rule": rules })).content(message(files));
    let sink: Attachments = world.open().unwrap();
    world.raise::<on::TransportSubmit>(&sink).unwrap()
}

#[test]
fn names_are_refused_whatever_stands_before_the_last_dot() {
    let rules = json!([{ "action": "reject", "extension": ["exe", "js*"] }]);
    for (name, refused) in
        [("x.exe", true), ("x.pdf.EXE", true), ("x.jse", true), ("x.exe.pdf", false), ("exe", false), ("x.pdf", false)]
    {
        let raised = raise(rules.clone(), &[(name, "application/octet-stream", 3)]);
        assert_eq!(raised.verdict() == "reject", refused, "{name}");
        if refused {
            assert_eq!(raised.reply(), format!("550 5.7.1 We don't accept files like {name}"));
        }
    }
    let anywhere = json!([{ "action": "reject", "extension": ["exe"], "anywhere": true }]);
    assert_eq!(raise(anywhere, &[("x.exe.pdf", "application/pdf", 3)]).verdict(), "reject");
}

#[test]
fn types_and_sizes_are_rules_too() {
    let rules = json!([
        { "action": "hold", "type": ["application/x-ms*"], "text": "a program" },
        { "action": "remove", "type": ["video/*"], "larger-than": "1 KiB" },
    ]);
    let held = raise(rules.clone(), &[("x", "application/x-msdownload", 3)]);
    assert_eq!((held.verdict(), held.reply().as_str()), ("hold", "a program"));
    let removed = raise(rules.clone(), &[("a.mp4", "video/mp4", 1024), ("b.mp4", "Video/MP4", 1025)]);
    assert_eq!((removed.verdict(), removed.edits()), ("next", vec!["remove part 3".to_owned()]));
    assert!(raise(rules, &[("a.png", "image/png", 5000)]).edits.is_empty());
}

#[test]
fn a_refusal_goes_before_a_hold_and_a_hold_before_removals() {
    let rules = json!([
        { "action": "remove", "extension": ["a"] },
        { "action": "hold", "extension": ["b"] },
        { "action": "reject", "extension": ["c"] },
    ]);
    let of = |names: &[&str]| {
        let files: Vec<_> = names.iter().map(|name| (*name, "application/x", 1)).collect();
        raise(rules.clone(), &files)
    };
    assert_eq!(of(&["x.a", "x.b", "x.c"]).verdict(), "reject");
    let held = of(&["x.a", "x.b"]);
    assert_eq!((held.verdict(), held.edits.len()), ("hold", 0));
    assert_eq!(of(&["x.a", "y.a"]).edits(), ["remove part 2", "remove part 3"]);
}

#[test]
fn the_first_rule_for_a_part_decides() {
    let rules = json!([{ "action": "next", "name": ["invoice*"] }, { "action": "reject", "extension": ["js"] }]);
    assert_eq!(raise(rules.clone(), &[("invoice.js", "text/plain", 1)]).verdict(), "next");
    assert_eq!(raise(rules, &[("other.js", "text/plain", 1)]).verdict(), "reject");
}

#[test]
fn a_note_stands_where_a_file_was() {
    let rules = json!([{ "action": "remove", "extension": ["exe"], "note": "removed by policy" }]);
    let raised = raise(rules, &[("x.exe", "application/x", 1)]);
    assert_eq!(raised.edits(), ["replace part 2 by removed.txt"]);
}

#[test]
fn what_cannot_be_read_is_held_unless_told_otherwise() {
    for (unreadable, verdict) in [(None, "hold"), (Some("reject"), "reject"), (Some("next"), "next")] {
        let mut config = json!({ "rule": [] });
        if let Some(action) = unreadable {
            config["unreadable"] = action.into();
        }
        // A world without content has no structure to read.
        let world = World::new().config(config).sender("a@example.org");
        let sink: Attachments = world.open().unwrap();
        assert_eq!(world.raise::<on::TransportSubmit>(&sink).unwrap().verdict(), verdict);
    }
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    for (config, told) in [
        (json!({ "rule": [{ "action": "reject" }] }), "a rule needs"),
        (json!({ "rule": [{ "action": "reject", "extension": [".exe"] }] }), "without a dot"),
        (json!({ "rule": [{ "action": "drop", "extension": ["exe"] }] }), "unknown variant `drop`"),
        (json!({ "rule": [{ "action": "hold", "larger-than": "1 MB" }] }), "is no size"),
        (json!({ "rule": [], "unreadable": "remove" }), "nothing can be removed"),
    ] {
        let fault = World::new().config(config).open::<Attachments>().err().unwrap();
        assert!(fault.text().contains(told), "{fault}");
    }
}
