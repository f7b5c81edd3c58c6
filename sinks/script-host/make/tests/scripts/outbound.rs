//! The events of our client's dialogue with a next hop.

use crate::rig::{Script, same};

fn raise(event: &str, name: &str, body: &str) -> String {
    Script::of(&format!("export function {name}(it, ctx) {{\n{body}\n}}")).raise(event)
}

#[test]
fn each_event_has_its_subject_and_its_edits() {
    let source = r#"
        const log = (...values) => console.log(...values);
        export function outConnect(it) {
            it.connectFrom("192.0.2.7"); it.helloAs("out.example"); it.setTlsPolicy("dane");
            it.authenticate("me", "hush"); it.authenticate("me", "hush", { mechanism: "PLAIN" });
        }
        export function outHelo(it) { it.replaceCommand("EHLO x.example") }
        export function outMessage(it) { it.message.addHeader("X-Signed", "yes", { top: true }) }
        export function outMail(it) { it.addParameter("X=1"); it.insertCommand("XHELLO") }
        export function outRcpt(it) { log(it.verb, it.host, it.recipients.map((each) => each.place)); return reject("Not there") }
        export function outData(it) { log(it.domain, it.attempt) }
        export function outReply(it) { log(it.reply.code, it.nextStates, it.mayRefuse); return answer("reset") }
        export function outQuit(leg, ctx) { log(leg.host, leg.recipients, leg.message); ctx.session.setProperty("n", 1) }
        export function outDisconnect(leg) { log(leg.domain) }
    "#;
    let mut script = Script::of(source);
    assert_eq!(script.events.len(), 9);
    for (event, returned, done) in [
        (
            "out.connect",
            "next",
            vec![
                "connect from 192.0.2.7",
                "hello as out.example",
                "tls Dane",
                "authenticate me hush None",
                "authenticate me hush Some(\"PLAIN\")",
            ],
        ),
        ("out.helo", "next", vec!["replace EHLO x.example"]),
        ("out.message", "next", vec!["prepend X-Signed: yes"]),
        ("out.mail", "next", vec!["parameter X=1", "insert XHELLO"]),
        ("out.rcpt", "reject 250 Not there", vec!["Info: RCPT mx.example.com:25 [192.0.2.1] [3, 4]"]),
        ("out.data", "next", vec!["Info: example.com 2"]),
        ("out.reply", "answer reset", vec!["Info: 450 [\"continue\", \"reset\"] true"]),
        ("out.quit", "next", vec!["Info: mx.example.com:25 [192.0.2.1] [] undefined", "session property n 1"]),
        ("out.disconnect", "told", vec!["Info: example.com"]),
    ] {
        assert_eq!(script.raise(event), returned, "{event}");
        assert_eq!(script.done(), done, "{event}");
    }
}

#[test]
fn what_can_t_be_said_is_thrown_where_it_is_asked_for() {
    let rows = [
        ("it.addParameter('bad')", "scripts/tag.js:2:4 TypeError: `bad` can't be said"),
        ("it.insertCommand({})", "scripts/tag.js:2:4 TypeError: the command must be a text, not an object"),
        (
            "it.setTlsPolicy('strict')",
            "scripts/tag.js:2:4 TypeError: strict is no TLS policy: it is none, opportunistic, required, verified or dane",
        ),
        ("it.verbs", "scripts/tag.js:2:1 TypeError: outbound.verbs does not exist (did you mean verb?)"),
        (
            "it.authenticate('a', 'b', { mechanisms: 'PLAIN' })",
            "scripts/tag.js:2:4 TypeError: authenticate has no option mechanisms (did you mean mechanism?)",
        ),
    ];
    same(&rows, |body| raise("out.mail", "outMail", body));
    let rows = [
        ("return answer('continue')", "answer continue"),
        (
            "return answer('again')",
            "scripts/tag.js:1:8 TypeError: outReply returned an answer that is none at out.reply: it takes continue, repeat, hello, \
             reset or quit, as a text",
        ),
    ];
    same(&rows, |body| raise("out.reply", "outReply", body));
}
