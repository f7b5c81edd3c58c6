//! The object model: what is read, and the edits.

use crate::rig::{Grants, Script, same};
use crate::stub::World;

/// What `body`, as the function of transport.submit, asks the server to do.
fn done(body: &str) -> Vec<String> {
    let mut world = World::default();
    world.properties.insert("score".to_owned(), "7".to_owned());
    world.properties.insert("spam.score".to_owned(), "[1]".to_owned());
    let source = format!("export async function onArrival(message, ctx) {{\n{body}\n}}");
    let mut script = Script::load(&source, world, Grants::ALL).unwrap();
    match script.raise("transport.submit").as_str() {
        "next" => script.done(),
        fault => vec![fault.to_owned()],
    }
}

/// What a value is shown as in the log.
fn shown(value: &str) -> String {
    let lines = done(&format!("console.log({value})"));
    lines.concat().trim_start_matches("Info: ").to_owned()
}

#[test]
fn a_message_is_read() {
    let rows = [
        ("message.id", "6F2K"),
        ("message.sender", "null"),
        ("message.subject", "Hello"),
        ("message.size", "81"),
        ("message.text", "Dear Bob,"),
        ("message.header('x-two')", "one"),
        ("message.header('x-none')", "undefined"),
        ("message.headers('X-Two')", "[\"one\", \"two\"]"),
        ("message.raw.length", "80"),
        ("message.raw.endsWith('\\r\\n\\r\\nDear Bob,\\r\\nbüe.\\r\\n')", "true"),
        ("message.recipients.length", "2"),
        ("message.recipients.map(String)", "[\"bob@example.com\", \"carol@Example.COM\"]"),
        ("message.recipients[1].original", "caroline@example.com"),
        ("message.recipients[0].original", "bob@example.com"),
        ("message.recipients.map((each) => each.matched)", "[true, false]"),
        ("message.recipients[0].standing", "local"),
        ("message.recipients[0].message === message", "true"),
        ("message.client.ip, message.client.name, message.client.helo", "192.0.2.1 undefined client.example"),
        ("message.client.tls.version, message.client.user, message.client.listener", "TLSv1.3 undefined 127.0.0.1:25"),
        ("message.client.tls.cipher, message.client.tls.serverName", "TLS_AES_256_GCM_SHA384 undefined"),
        (
            "message.client.tls.certificate",
            "{ subject: \"client\", names: [\"client.example\"], fingerprint: \"0a\", verified: true }",
        ),
        ("ctx.session.client.ip", "192.0.2.1"),
        ("message.property('score'), message.property('spam:score')", "7 [1]"),
        ("message.property('none')", "undefined"),
        ("message.parameter('XTAG'), message.parameter('XFOR')", "blue undefined"),
        ("message.recipients.map((each) => each.parameter('XFOR'))", "[\"0\", \"1\"]"),
        ("ctx.config.nothing", "undefined"),
    ];
    same(&rows, shown);
}

#[test]
fn attachments_are_read_and_edited() {
    assert_eq!(
        shown("message.attachments.map((each) => [each.name, each.type, each.size])"),
        "[[\"a.csv\", \"text/csv\", 5]]"
    );
    assert_eq!(
        shown("message.attachments[0].bytes(), message.attachments[0].text()"),
        "[Uint8Array of 6 octets] bücher"
    );
    let rows = [
        ("message.attachments[0].remove()", "remove part 2"),
        ("message.attachments[0].replace('new')", "replace part 2 \"new\""),
        ("message.attachments[0].replace('new', { name: 'b.csv' })", "replace attachment 2 b.csv text/csv 3"),
        (
            "message.addAttachment({ name: 'n.bin', data: new Uint8Array([1, 2]) })",
            "attach n.bin application/octet-stream 2",
        ),
    ];
    same(&rows, |body| done(body).concat());
}

#[test]
fn edits_arrive() {
    let rows = [
        ("message.addHeader('X', 5)", "append X: 5"),
        ("message.addHeader('X', 'y', { top: true })", "prepend X: y"),
        ("message.setHeader('X', 'ü\\ud800')", "set X: ü\u{fffd}"),
        ("message.removeHeader('X')", "remove X"),
        ("message.setSender('a@b.example')", "sender Some(\"a@b.example\")"),
        ("message.setSender(null)", "sender None"),
        ("message.addRecipient('c@b.example')", "add recipient c@b.example"),
        ("message.removeRecipient('carol@example.com')", "remove recipient 1"),
        ("message.removeRecipient(message.recipients[0])", "remove recipient 0"),
        ("message.replaceBody('x\\r\\n')", "body \"x\\r\\n\""),
        ("message.replaceBody(new Uint8Array([65]).buffer)", "body \"A\""),
        ("message.prependText('Hi')", "prepend text Hi None"),
        ("message.appendText('Bye', '<p>Bye')", "append text Bye Some(\"<p>Bye\")"),
        ("message.replaceText('New')", "replace text New None"),
        ("message.setProperty('p', { a: [1] })", "property p {\"a\":[1]}"),
        ("message.setProperty('p')", "property p null"),
        ("message.recipients[1].setProperty('p', 'x')", "recipient 1 property p \"x\""),
        ("message.recipients[1].reject('No', { status: '5.1.1' })", "reject recipient 1 550 5.1.1 No"),
        ("message.recipients[1].reject()", "reject recipient 1 -"),
        ("message.recipients[0].defer('Later')", "defer recipient 0 250 Later"),
        ("message.recipients[0].discard()", "discard recipient 0"),
        ("message.recipients[0].hold('why')", "hold recipient 0 why"),
        ("message.recipients[0].remove()", "remove recipient 0"),
        ("ctx.session.delay(100)", "delay 100"),
        ("ctx.session.limitMessageSize(5e9)", "limit size 5000000000"),
        ("ctx.session.limitRecipients(5)", "limit recipients 5"),
        ("ctx.session.setGreeting('Hi')", "greeting Hi"),
        ("ctx.session.addKeyword('XA 1')", "add keyword XA 1"),
        ("ctx.session.removeKeyword('XA')", "remove keyword XA"),
        ("ctx.session.setProperty('p', 1)", "session property p 1"),
    ];
    same(&rows, |body| done(body).concat());
    assert_eq!(shown("message.removeRecipient('nobody@example.com')"), "false");
}

#[test]
fn the_recipient_at_hand_can_be_vouched_for() {
    let mut script = Script::of("export function inRcpt(rcpt) { rcpt.vouch(); rcpt.setProperty('p', rcpt.standing) }");
    assert_eq!(script.raise("in.rcpt"), "next");
    assert_eq!(script.done(), ["vouch", "recipient 9 property p \"local\""]);
}

#[test]
fn objects_can_be_logged_and_awaited() {
    assert_eq!(shown("await message === message"), "true");
    assert_eq!(shown("message"), "[object Object]");
    assert_eq!(
        shown("{ a: [1, 'x', null], b: new Map([[1, 2]]), c() {} }"),
        "{ a: [1, \"x\", null], b: Map {1: 2}, c: [function c] }"
    );
    assert_eq!(
        done("console.debug('d'); console.warn('w'); console.error(new Error('e').message)"),
        ["Debug: d", "Warn: w", "Error: e"]
    );
}

#[test]
fn what_scripts_know_from_the_web_is_there() {
    let rows = [
        ("new TextDecoder().decode(new TextEncoder().encode('grün'))", "grün"),
        ("new TextDecoder('latin1').decode(new Uint8Array([252, 128]))", "ü€"),
        ("btoa('abc'), atob('YWJj')", "YWJj abc"),
        (
            "structuredClone({ a: [new Date(0)], m: new Map([[1, {}]]) })",
            "{ a: [Thu Jan 01 1970 00:00:00 GMT+0000], m: Map {1: {  }} }",
        ),
        ("typeof setTimeout, typeof require, typeof process", "undefined undefined undefined"),
        ("typeof __host, typeof Message", "undefined undefined"),
        ("encodeURIComponent('a b')", "a%20b"),
    ];
    same(&rows, shown);
}
