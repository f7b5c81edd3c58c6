use super::super::rig::Rig;
use crate::event::{Decision, Event};
use crate::mail::{Fate, Standing};
use serde_json::json;
use std::time::Duration;

fn policy(rules: &str) -> Rig {
    Rig::of("policy", rules)
}

#[tokio::test]
async fn the_first_rule_with_a_verdict_ends_the_walk() {
    let mut rig = policy(
        "
        [[rule]]
        event = 'in.mail'
        property = { seen = 1 }
        [[rule]]
        event = 'in.mail'
        when = { sender = '*@spam.example' }
        reject = 'We know you'
        status = '5.7.9'
        [[rule]]
        event = 'in.mail'
        when = { sender = '*.example' }
        defer = true
        [[rule]]
        event = 'in.mail'
        property = { seen = 2 }",
    );
    for (sender, want) in [
        ("a@spam.example", "550 5.7.9 We know you"),
        ("a@x.example", "451 4.7.1 Not now, please try again later"),
        ("a@example.com", "ok"),
    ] {
        rig.mail(sender, &[]);
        assert_eq!(rig.reply(Event::InMail).await, want, "{sender}");
        let seen = if want == "ok" { 2 } else { 1 };
        assert_eq!(rig.transaction.letter.properties.lookup("policy.seen"), Some(&json!(seen)), "{sender}");
    }
    assert_eq!(rig.reply(Event::InData).await, "ok", "no rule for it");
}

#[tokio::test]
async fn every_verdict() {
    for (event, verdict, want) in [
        ("in.connect", "reject = true", "554 5.7.1 No mail from you here, by local policy"),
        ("in.connect", "defer = 'Later'", "421 4.7.1 Later"),
        ("in.connect", "disconnect = 'Bye'", "421 4.7.1 Bye, and close"),
        (
            "in.mail",
            "disconnect = true\nstatus = '5.7.0'",
            "554 5.7.0 Closing the connection by local policy, and close",
        ),
        ("in.mail", "discard = true", "discard"),
        ("in.mail", "hold = 'Have a look'", "hold: Have a look"),
        ("in.mail", "skip-rest = true", "ok"),
    ] {
        let mut rig = policy(&format!("[[rule]]\nevent = '{event}'\n{verdict}"));
        assert_eq!(rig.reply(Event::by_name(event).unwrap()).await, want, "{event} {verdict}");
    }
}

#[tokio::test]
async fn edits_of_the_session_and_of_a_recipient() {
    let mut rig = policy(
        "
        [[rule]]
        event = 'in.connect'
        delay = '2s'
        greeting = 'hello'
        limit-message-size = '1 MiB'
        limit-recipients = 5
        property = { slow = true }
        [[rule]]
        event = 'in.helo'
        add-keyword = ['XA 1', 'XB']
        remove-keyword = 'size'
        [[rule]]
        event = 'in.rcpt'
        when = { recipient = 'sales@*', property = { 'policy.slow' = true } }
        rewrite = 'alice@example.com'
        add-recipient = ['bob@example.com']
        property = { team = 'sales' }",
    );
    assert_eq!(rig.reply(Event::InConnect).await, "ok");
    assert_eq!(rig.delay, Duration::from_secs(2));
    rig.raise(Event::InHelo).await;
    let facts = &rig.session.facts;
    assert_eq!(
        (facts.message_size, facts.recipients, facts.greeting.as_deref()),
        (Some(1 << 20), Some(5), Some("hello"))
    );
    assert_eq!((&facts.keywords[..], &facts.without[..]), (&["XA 1".into(), "XB".into()][..], &["SIZE".into()][..]));
    assert_eq!(rig.rcpt("sales@example.com").await, "ok");
    let candidate = rig.candidate.unwrap();
    assert_eq!(candidate.recipient.path.as_str(), "alice@example.com");
    assert_eq!(candidate.added[0].as_str(), "bob@example.com");
    assert_eq!(candidate.recipient.properties.lookup("policy.team"), Some(&json!("sales")));
}

#[tokio::test]
async fn edits_of_the_message() {
    let mut rig = policy(
        "
        [[rule]]
        event = 'transport.submit'
        when = { header = { Subject = '*casino*' } }
        set-sender = '<>'
        remove-header = ['X-A', 'X-B']
        set-header = { name = 'Subject', value = 'Offer' }
        add-header = [{ name = 'X-C', value = '1' }, { name = 'X-C', value = '2' }]
        property = { score = { casino = 7 } }",
    );
    rig.mail("b@x.example", &["alice@example.com"]);
    rig.content("X-A: 1\r\nSubject: the Casino\r\nX-b: 1\r\n\r\nbody\r\n");
    assert_eq!(rig.raise(Event::TransportSubmit).await, Decision::Proceed);
    assert_eq!(rig.header(), "Subject: Offer\r\nX-C: 1\r\nX-C: 2\r\n");
    assert_eq!(rig.transaction.letter.envelope.sender.as_str(), "");
    assert_eq!(rig.transaction.letter.properties.lookup("policy.score"), Some(&json!({ "casino": 7 })));
}

#[tokio::test]
async fn a_verdict_for_the_recipients_that_the_rule_names() {
    let mut rig = policy(
        "
        [[rule]]
        event = 'in.message'
        when = { recipient = 'a@*' }
        per-recipient = true
        reject = 'Not for a'
        [[rule]]
        event = 'in.message'
        when = { not = { recipient = ['b@*', 'd@*'] } }
        per-recipient = true
        hold = 'see'
        [[rule]]
        event = 'in.message'
        when = { recipient = 'd@*' }
        remove-recipient = true",
    );
    rig.mail("x@x.example", &["a@x.example", "b@x.example", "c@x.example", "d@x.example"]);
    rig.content("Subject: x\r\n\r\n");
    assert_eq!(rig.reply(Event::InMessage).await, "ok");
    let fates: Vec<_> = rig.transaction.letter.envelope.recipients.iter().map(|r| r.fate.clone()).collect();
    let [Fate::Rejected(reply), Fate::Accepted, Fate::Held(_)] = &fates[..] else { panic!("{fates:?}") };
    assert_eq!(reply.to_string(), "550 5.7.1 Not for a");
}

#[tokio::test]
async fn vouching_is_for_what_the_binding_shows() {
    let mut rig = policy("[[rule]]\nevent = 'in.rcpt'\nwhen = { recipient = 'new@*' }\nvouch = true");
    assert_eq!(rig.rcpt_standing("new@example.com", Standing::Unknown).await, "ok");
    assert!(!rig.candidate.unwrap().vouched, "the rig's binding names no standing");
}

#[test]
fn every_mistake_at_its_place() {
    for (rule, place, told) in [
        ("event = 'in.mial'\nreject = 'x'", "2:9", "did you mean `in.mail`?"),
        ("event = 'in.disconnect'\nreject = 'x'", "2:9", "nothing can be decided"),
        ("reject = 'x'", "1:1", "the key `event` is missing"),
        ("event = 'in.mail'", "1:1", "but not what then"),
        ("event = 'in.mail'\nreject = 'x'\ndefer = 'y'", "4:1", "a rule has one verdict"),
        ("event = 'in.connect'\ndiscard = true", "3:1", "`discard` is not possible at `in.connect`"),
        (
            "event = 'in.mail'\nadd-header = { name = 'A', value = 'b' }",
            "3:1",
            "it is at `in.message`, `transport.submit`, `transport.pre-categorize`",
        ),
        (
            "event = 'in.mail'\nwhen = { recipient = '*' }\ndiscard = true",
            "3:10",
            "the first event at which it is known is `in.rcpt`",
        ),
        ("event = 'in.mail'\nwhen = { sendr = '*' }\ndiscard = true", "3:10", "did you mean `sender`?"),
        ("event = 'in.mail'\nreject = 'x'\nstatus = '4.7.1'", "4:10", "let it begin with `5`"),
        ("event = 'in.mail'\nreject = 'x'\nstatus = '5'", "4:10", "`5` is not a status"),
        ("event = 'in.mail'\ndiscard = true\nstatus = '5.7.1'", "4:1", "no reply in which a status could stand"),
        ("event = 'in.mail'\ndelay = '1s'\nstatus = '5.7.1'", "4:1", "a status needs a reply"),
        ("event = 'in.mail'\ndiscard = false", "3:11", "leave the key out"),
        ("event = 'in.mail'\nreject = ''", "3:10", "write `true` for the usual text"),
        ("event = 'in.mail'\ndelay = '5m'", "3:9", "60 s is the longest"),
        ("event = 'in.rcpt'\nrewrite = 'alice'", "3:11", "is not an address"),
        ("event = 'in.helo'\nadd-keyword = \"A\\r\\nB\"", "3:15", "one line of printable ASCII"),
        (
            "event = 'in.rcpt'\nreject = true\nper-recipient = true",
            "4:1",
            "`per-recipient` is not possible at `in.rcpt`",
        ),
        ("event = 'in.message'\nskip-rest = true\nper-recipient = true", "4:1", "can't be given to a single recipient"),
        ("event = 'in.mail'\nrejct = 'x'", "3:1", "did you mean `reject`?"),
        ("event = 'in.message'\nset-header = [{ name = 'A b', value = 'b' }]", "3:24", "not a header field name"),
    ] {
        let errors = Rig::errors("policy", &format!("[[rule]]\n{rule}"));
        assert!(errors.contains(&format!("sinks.toml:{place}")) && errors.contains(told), "{rule}\n{errors}");
    }
    assert!(Rig::errors("policy", "").contains("has no rules"));
    assert!(Rig::errors("policy", "rule = { event = 'in.mail' }").contains("`rule` is a list of tables"));
    let both = Rig::errors("policy", "[[rule]]\nevent = 'x'\ndiscard = true\n[[rule]]\nevent = 'y'\ndiscard = true");
    assert!(both.contains("2 errors"), "{both}");
}
