//! Edits of a manifest that somebody wrote by hand.

use super::*;

const TEXT: &str = r#"# All our sinks.
# Ask postmaster before you change them.

# Who is let in.
[[sink]]
name = "access"   # first
native = "access"
[sink.config]
deny = { client = "@bad.txt" }  # the bad ones

# Marks.
[[sink]]
name = 'mark'
native = "headers"
enabled = true # for now
[sink.config]
text   =   "a"     # odd spaces
[[sink.on]]
event = "in.rcpt"
priority = 5 # early
[[sink.on]]
event = "transport.submit"

# The end.
"#;

/// The lines that differ and are not blank, as `-old` and `+new`.
fn difference(before: &str, after: &str) -> String {
    let count = |text: &str, line: &str| text.lines().filter(|l| *l == line).count();
    let missing = |from: &str, to: &str, sign: char| {
        let mut lines: Vec<&str> =
            from.lines().filter(|line| !line.is_empty() && count(from, line) > count(to, line)).collect();
        lines.dedup();
        lines.iter().map(|line| format!("{sign}{line}\n")).collect::<String>()
    };
    missing(before, after, '-') + &missing(after, before, '+')
}

#[test]
fn set_changes_one_value_and_nothing_else() {
    for (assignment, want) in [
        ("config.text=b c", "-text   =   \"a\"     # odd spaces\n+text   =   \"b c\"     # odd spaces\n"),
        ("config.text = 5", "-text   =   \"a\"     # odd spaces\n+text   =   5     # odd spaces\n"),
        ("config.new=[1, 2]", "+new = [1, 2]\n"),
        ("config.deep.er=true", "+[sink.config.deep]\n+er = true\n"),
        ("on.in.rcpt.priority=7", "-priority = 5 # early\n+priority = 7 # early\n"),
        ("on.\"in.rcpt\".priority=7", "-priority = 5 # early\n+priority = 7 # early\n"),
        ("on.1.when={ sender = \"<>\" }", "+when = { sender = \"<>\" }\n"),
        ("allow.kv=true", "+[sink.allow]\n+kv = true\n"),
        ("enabled=false", "-enabled = true # for now\n+enabled = false # for now\n"),
    ] {
        let after = set(TEXT, "mark", assignment).unwrap();
        assert_eq!(difference(TEXT, &after), want, "{assignment}\n{after}");
        after.parse::<DocumentMut>().unwrap();
    }
    let after = set(TEXT, "access", "config.deny.client=@worse.txt").unwrap();
    let want =
        "-deny = { client = \"@bad.txt\" }  # the bad ones\n+deny = { client = \"@worse.txt\" }  # the bad ones\n";
    assert_eq!(difference(TEXT, &after), want);
}

#[test]
fn new_tables_belong_to_the_sink_that_they_were_set_for() {
    let after = set(TEXT, "access", "limits.cpu=1 s").unwrap();
    let document = after.parse::<DocumentMut>().unwrap();
    let sinks = document["sink"].as_array_of_tables().unwrap();
    assert_eq!(sinks.get(0).unwrap()["limits"]["cpu"].as_str(), Some("1 s"), "{after}");
    assert!(sinks.get(1).unwrap().get("limits").is_none());
}

#[test]
fn what_can_not_be_set_is_told() {
    for (sink, assignment, want) in [
        ("mark", "config.text", "`config.text` is not KEY=VALUE"),
        ("mark", "confg.text=a", "a sink has no key `confg`; did you mean `config`?"),
        ("mark", "text=a", "a sink has no key `text`; a sink's own settings are `config.text`"),
        (
            "mark",
            "on.in.mail.priority=1",
            "`on.in.mail.priority` names no binding; there are: in.rcpt, transport.submit",
        ),
        ("mark", "on.2.priority=1", "`on.2.priority` names no binding"),
        ("mark", "on.in.rcpt=1", "which key of the binding?"),
        ("mark", "config.text.deep=1", "`text` is not a table"),
        ("access", "on.in.rcpt.priority=1", "the sink names no bindings"),
        ("nobody", "config.text=a", "there is no sink `nobody`"),
    ] {
        let error = set(TEXT, sink, assignment).unwrap_err();
        assert!(error.starts_with(want), "{error}");
    }
    assert!(set("sink = []\n", "a", "config.x=1").unwrap_err().contains("edit the file by hand"));
}

#[test]
fn switched_off_and_on() {
    let off = enable(TEXT, "access", false).unwrap().unwrap();
    assert_eq!(difference(TEXT, &off), "+enabled = false\n");
    assert_eq!(enable(&off, "access", false).unwrap(), None);
    let on = enable(&off, "access", true).unwrap().unwrap();
    assert_eq!(difference(TEXT, &on), "+enabled = true\n");
    assert_eq!(enable(TEXT, "mark", true).unwrap(), None);
}

#[test]
fn a_removed_sink_takes_its_comment_along_and_leaves_the_file_s() {
    let without = remove(TEXT, "access").unwrap();
    assert!(
        without.starts_with("# All our sinks.\n# Ask postmaster before you change them.\n\n# Marks.\n[[sink]]\n"),
        "{without}"
    );
    assert!(!without.contains("let in") && !without.contains("bad"), "{without}");
    let empty = remove(&remove(TEXT, "mark").unwrap(), "access").unwrap();
    assert_eq!(empty, "# All our sinks.\n# Ask postmaster before you change them.\n\n# The end.\n");
    assert!(remove(TEXT, "nobody").is_err());
}

#[test]
fn an_added_sink_stands_behind_the_others() {
    let new = NewSink {
        name: "quota".into(),
        kind: "native",
        source: "quota".into(),
        on: vec![
            NewBinding { event: "in.mail".into(), priority: Some(7), when: Some("sender = \"*@x\"".into()) },
            NewBinding { event: "in.rcpt".into(), priority: None, when: Some("{ not = { auth = true } }".into()) },
        ],
        set: vec!["config.messages=5".into(), "allow.kv=true".into()],
    };
    let block = "[[sink]]\nname = \"quota\"\nnative = \"quota\"\n\n[sink.config]\nmessages = 5\n\n[sink.allow]\nkv = true\n\n\
        [[sink.on]]\nevent = \"in.mail\"\npriority = 7\nwhen = { sender = \"*@x\" }\n\n\
        [[sink.on]]\nevent = \"in.rcpt\"\nwhen = { not = { auth = true } }\n";
    assert_eq!(add("", &new).unwrap(), block);
    let after = add(TEXT, &new).unwrap();
    assert!(after.contains(&format!("\n{block}")), "{after}");
    assert_eq!(difference(TEXT, &after).matches("\n-").count(), 0, "{after}");
    assert!(add(&after, &new).unwrap_err().contains("already"));
    for when in ["sender", "5", "sender = "] {
        let on = vec![NewBinding { event: "in.mail".into(), priority: None, when: Some(when.into()) }];
        assert!(add("", &NewSink { on, ..new.clone() }).is_err(), "{when}");
    }
}
