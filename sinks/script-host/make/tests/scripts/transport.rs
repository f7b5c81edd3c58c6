//! The events of the transport: what they are about, and what scripts answer there.

use crate::rig::{Script, same};

/// What `body`, as the function of an event, makes of it.
fn raise(event: &str, name: &str, body: &str) -> String {
    Script::of(&format!("export function {name}(it, ctx) {{\n{body}\n}}")).raise(event)
}

#[test]
fn each_event_has_its_subject() {
    let source = r#"
        const log = (...values) => console.log(...values);
        export function transportPreCategorize(message) { log(message.id) }
        export function transportCategorize(rcpt) { log(rcpt.address, rcpt.place); rcpt.rewrite("x@example.org"); rcpt.message.addRecipient("y@example.org") }
        export function transportPostCategorize(message) { log(message.id) }
        export function transportRoute(leg, ctx) { log(leg.domain, leg.attempt, ctx.session.door) }
        export function transportDeliver(leg) { log(leg.recipients.map((each) => each.place), leg.message.id) }
        export function transportDelivered(leg) { log(leg.host) }
        export function transportDeferred(leg) { log(leg.reply.code, leg.reply.status, leg.reply.text); return reject("No more") }
        export function transportFailed(leg) { log(leg.message.sender) }
        export function transportDsn(message) { log(message.subject) }
        export function dnsResolve(question, ctx) { log(question.name, question.type); ctx.session }
        export function track(step) { log(step.step, step.size) }
    "#;
    let mut script = Script::of(source);
    assert_eq!(script.events.len(), 11);
    for (event, returned, done) in [
        ("transport.pre-categorize", "next", vec!["Info: 6F2K"]),
        (
            "transport.categorize",
            "next",
            vec!["Info: dave@example.com undefined", "rewrite x@example.org", "add recipient y@example.org"],
        ),
        ("transport.post-categorize", "next", vec!["Info: 6F2K"]),
        ("transport.route", "next", vec!["Info: example.com 2 smtp"]),
        ("transport.deliver", "next", vec!["Info: [3, 4] 6F2K"]),
        ("transport.delivered", "told", vec!["Info: mx.example.com:25 [192.0.2.1]"]),
        ("transport.deferred", "reject 250 No more", vec!["Info: 450 undefined Not yet"]),
        ("transport.failed", "next", vec!["Info: null"]),
        ("transport.dsn", "next", vec!["Info: Hello"]),
        ("dns.resolve", "scripts/tag.js:12:88 Error: there is no session at this event", vec!["Info: example.net MX"]),
        ("track", "told", vec!["Info: accepted 5"]),
    ] {
        assert_eq!(script.raise(event), returned, "{event}");
        assert_eq!(script.done(), done, "{event}");
    }
}

#[test]
fn recipients_resolve_to_what_is_answered() {
    let rows = [
        ("return answer({ local: true })", "answer local"),
        ("return answer({ remote: true })", "answer remote"),
        ("return answer({ to: 'a@example.org' })", "answer to a@example.org"),
        (
            "return answer({ members: ['a@example.org', it] })",
            r#"answer to ["a@example.org", "dave@example.com"] from None"#,
        ),
        ("return answer({ members: [], sender: 'o@example.org' })", r#"answer to [] from Some("o@example.org")"#),
        ("return answer({ members: [], sender: null })", r#"answer to [] from Some("")"#),
        (
            "return answer({ local: false })",
            "scripts/tag.js:2:8 TypeError: local of answer must be true, not a boolean",
        ),
        (
            "return answer({ local: true, to: 'a@example.org' })",
            "scripts/tag.js:2:8 TypeError: answer takes one of local and to, not both",
        ),
        (
            "return answer({ to: 'a@example.org', sender: null })",
            "scripts/tag.js:2:8 TypeError: answer takes a sender with members only",
        ),
        (
            "return answer({ members: 'a@example.org' })",
            "scripts/tag.js:2:8 TypeError: the members of answer must be a list, not a string",
        ),
        (
            "return answer(5)",
            "scripts/tag.js:1:8 TypeError: transportCategorize returned an answer that is none at transport.categorize: it takes \
             { local: true }, { remote: true }, { to: address } or { members: [address, …] }",
        ),
    ];
    same(&rows, |body| raise("transport.categorize", "transportCategorize", body));
}

#[test]
fn routes_and_records_are_lists_or_one_text() {
    let rows = [
        ("return answer('mx:example.org')", r#"answer route ["mx:example.org"]"#),
        ("return answer(['smtp:a.example:25', 'local'])", r#"answer route ["smtp:a.example:25", "local"]"#),
        ("return answer([])", "answer route []"),
        (
            "return answer({ to: 'a@example.org' })",
            "scripts/tag.js:1:8 TypeError: transportRoute returned an answer that is none at transport.route: it takes \
             a list of hops, such as [\"smtp:mx.example.com:25\", \"local\"]",
        ),
        (
            "return answer(['local', 5])",
            "scripts/tag.js:2:8 TypeError: the list of answer must be of texts or of outcomes; a number is in it",
        ),
    ];
    same(&rows, |body| raise("transport.route", "transportRoute", body));
    let rows = [
        ("return answer('10 mx.example.org.')", r#"answer records ["10 mx.example.org."]"#),
        ("return answer([])", "answer records []"),
        ("return defer('No answer')", "defer 250 No answer None"),
    ];
    same(&rows, |body| raise("dns.resolve", "dnsResolve", body));
}

#[test]
fn outcomes_are_of_each_recipient_or_one_for_all() {
    let rows = [
        ("return answer('Kept')", "answer 3: 250 Kept, 4: 250 Kept"),
        ("return answer({ code: 450, status: '4.2.0' })", "answer 3: 450 4.2.0 , 4: 450 4.2.0 "),
        ("return answer([{ recipient: 4 }])", "answer 4: 250 "),
        (
            "return answer(it.recipients.map((recipient) => ({ recipient, code: 550, text: 'No' })))",
            "answer 3: 550 No, 4: 550 No",
        ),
        ("return answer([])", "answer "),
        (
            "return answer([{ recipient: 'bob@example.com' }])",
            "scripts/tag.js:2:8 RangeError: the recipient of an outcome must be a whole number from 0 to 4294967295, not a string",
        ),
        (
            "return answer([{ recipient: 3, cod: 250 }])",
            "scripts/tag.js:2:8 TypeError: an outcome has no option cod (did you mean code?)",
        ),
        (
            "return answer(['local'])",
            "scripts/tag.js:1:8 TypeError: transportDeliver returned an answer that is none at transport.deliver: it takes \
             a list of outcomes, such as [{ recipient, code: 250 }], or one reply for all",
        ),
    ];
    same(&rows, |body| raise("transport.deliver", "transportDeliver", body));
}

#[test]
fn a_helper_whose_name_is_near_to_track_is_none_of_the_events() {
    let script = Script::of("export function pack() {}\nexport function trace() {}\nexport function inData() {}");
    assert_eq!(script.events, ["in.data"]);
}

#[test]
fn recipients_are_split_off() {
    let mut script = Script::of(
        "export function transportPostCategorize(message) {\n  message.split(message.recipients.filter((each) => each.address.startsWith('carol')));\n  \
         message.split([7]);\n}\nexport function transportSubmit(message) { message.split('x') }",
    );
    assert_eq!(script.raise("transport.post-categorize"), "next");
    assert_eq!(script.done(), ["split [4]", "split [7]"]);
    assert!(
        script.raise("transport.submit").contains("TypeError: the recipients of split must be a list, not a string")
    );
}
