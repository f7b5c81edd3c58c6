//! Events, verdicts, and what may go wrong between a call and what it returns.

use crate::rig::{Grants, Script, same};
use crate::stub::World;

/// What `body`, as the function of transport.submit, makes of it.
fn submit(body: &str) -> String {
    Script::of(&format!("export function onArrival(message, ctx) {{\n{body}\n}}")).raise("transport.submit")
}

#[test]
fn the_first_script_of_the_readme_works() {
    let mut script = Script::of(
        r#"export function onArrival(message, ctx) {
             message.setHeader("Subject", "[tag] " + message.subject);
             if (message.recipients.length > 5) return reject("Too many");
           }"#,
    );
    assert_eq!(script.events, ["transport.submit"]);
    assert_eq!(script.raise("transport.submit"), "next");
    assert_eq!(script.done(), ["set Subject: [tag] Hello"]);
    assert_eq!(script.world().handles, 0, "every handle is given back");
}

#[test]
fn each_verdict_arrives_as_it_was_made() {
    let rows = [
        ("", "next"),
        ("return next()", "next"),
        ("return skipRest()", "skip-rest"),
        ("return reject()", "reject -"),
        ("return reject('No')", "reject 250 No"),
        ("return reject('No', { status: '5.1.1' })", "reject 550 5.1.1 No"),
        ("return reject('No', { code: 554 })", "reject 554 No"),
        ("return reject({ code: 554, status: '5.7.1' })", "reject 554 5.7.1 "),
        ("return defer()", "defer - None"),
        ("return defer('Later', { after: 60 })", "defer 250 Later Some(60)"),
        ("return defer('Later', { status: '4.2.1' })", "defer 451 4.2.1 Later None"),
        ("return disconnect('Bye', { status: '5.7.0' })", "disconnect 554 5.7.0 Bye"),
        ("return discard()", "discard"),
        ("return hold('looks odd')", "hold looks odd"),
        ("return hold()", "hold held by the script"),
        ("return answer(5000)", "answer 5000"),
        ("return answer('Fine')", "answer 250 Fine"),
        ("return answer({ code: 252, text: 'Maybe' })", "answer 252 Maybe"),
        ("return Promise.resolve(reject('No'))", "reject 250 No"),
    ];
    same(&rows, submit);
}

#[test]
fn a_verdict_that_can_t_be_is_a_fault_where_it_is_made() {
    let rows = [
        (
            "return reject('No', { status: '4.1.1' })",
            "scripts/tag.js:2:8 TypeError: the status of reject must be like 5.7.1, not 4.1.1",
        ),
        (
            "return reject('No', { code: 450 })",
            "scripts/tag.js:2:8 RangeError: the code of reject must be a whole number from 500 to 599, not 450",
        ),
        (
            "return defer('No', { afer: 3 })",
            "scripts/tag.js:2:8 TypeError: defer has no option afer (did you mean after?)",
        ),
        (
            "return answer(() => 1)",
            "scripts/tag.js:2:8 TypeError: answer takes a reply, a limit, a resolution or a list, not a function",
        ),
        ("return reject(() => 1)", "scripts/tag.js:2:8 TypeError: the text of reject must be a text, not a function"),
    ];
    same(&rows, submit);
}

#[test]
fn what_was_made_has_to_be_returned_and_nothing_else() {
    let rows = [
        (
            "\nreject('No')",
            "scripts/tag.js:3:1 Error: reject(…) was called, but what it made was not returned: write `return reject(…)`",
        ),
        (
            "skipRest(); return next()",
            "scripts/tag.js:2:1 Error: skipRest(…) was called, but what it made was not returned: write `return skipRest(…)`",
        ),
        (
            "return true",
            "scripts/tag.js:1:8 TypeError: onArrival returned a boolean: return a verdict, such as next(), or nothing",
        ),
        (
            "return null",
            "scripts/tag.js:1:8 TypeError: onArrival returned null: return a verdict, such as next(), or nothing",
        ),
        (
            "return reject",
            "scripts/tag.js:1:8 TypeError: onArrival returned a function: return a verdict, such as next(), or nothing",
        ),
    ];
    same(&rows, submit);
}

#[test]
fn a_verdict_may_be_made_once_and_returned_often() {
    let mut script = Script::of("const NO = reject('No');\nexport function onArrival() { return NO }");
    for _ in 0..3 {
        assert_eq!(script.raise("transport.submit"), "reject 250 No");
    }
}

#[test]
fn promises_are_awaited_and_those_that_can_t_settle_are_faults() {
    let asynchronous = |body: &str| Script::of(&format!("export async function onArrival(message) {{\n{body}\n}}"));
    let raise = |body: &str| asynchronous(body).raise("transport.submit");
    assert_eq!(raise("await null; await 1; return reject('No')"), "reject 250 No");
    let rows = [
        (
            "await new Promise(() => {})",
            "scripts/tag.js:1:8 TypeError: onArrival is waiting for a promise that nothing can settle",
        ),
        ("await null;\nthrow new TypeError('x')", "scripts/tag.js:3:11 TypeError: x"),
        ("(async () => { await 1;\nthrow new Error('lost') })()", "scripts/tag.js:3:11 Error: lost"),
        ("Promise.reject(new Error('lost'))", "scripts/tag.js:2:20 Error: lost"),
    ];
    same(&rows, raise);
    assert_eq!(raise("const p = Promise.reject(new Error('x')); await 1; await p.catch(() => {})"), "next");
}

#[test]
fn each_event_has_its_subject() {
    let source = r#"
        const log = (...values) => console.log(...values);
        export function inConnect(session, ctx) { log(session.id, session === ctx.session) }
        export function inHelo(command, ctx) { log(command.verb, command.argument, command.message) }
        export function inMail(message) { log(message.sender) }
        export function inRcpt(rcpt) { log(rcpt.address, rcpt.original, rcpt.message.id); rcpt.rewrite("x@example.org") }
        export function inData(message) { log(message.id) }
        export function inHeaders(message) { log(message.id) }
        export function inMessage(message) { log(message.id) }
        export function inCommand(command) { log(command.verb, command.message); return answer("Help yourself") }
        export function inReply(reply) { log(reply.code, reply.text, reply.message.id); reply.setText("Fine") }
        export function inDisconnect(session) { log(session.client.ip) }
        export function transportOversize(excess) { log(excess.size, excess.declared); return answer(excess.size) }
        export function transportSubmit(message, ctx) { log(ctx.session.door) }
        export function serverStart(ctx, again) { log(ctx === again, ctx.config) }
        export function serverReload() { log("again") }
        export function serverShutdown(ctx) { ctx.session }
    "#;
    let world = World { config: r#"{"a":1}"#.to_owned(), ..World::default() };
    let mut script = Script::load(source, world, Grants::default()).unwrap();
    for (event, returned, done) in [
        ("in.connect", "next", vec!["Info: S1 true"]),
        ("in.helo", "next", vec!["Info: HELP me undefined"]),
        ("in.mail", "next", vec!["Info: null"]),
        ("in.rcpt", "next", vec!["Info: dave@example.com dave@example.com 6F2K", "rewrite x@example.org"]),
        ("in.data", "next", vec!["Info: 6F2K"]),
        ("in.headers", "next", vec!["Info: 6F2K"]),
        ("in.message", "next", vec!["Info: 6F2K"]),
        ("in.command", "answer 250 Help yourself", vec!["Info: HELP undefined"]),
        ("in.reply", "next", vec!["Info: 250 OK 6F2K", "reply text Fine"]),
        ("in.disconnect", "told", vec!["Info: 192.0.2.1"]),
        ("transport.oversize", "answer 2000", vec!["Info: 2000 true"]),
        ("transport.submit", "next", vec!["Info: smtp"]),
        ("server.start", "told", vec!["Info: true { a: 1 }"]),
        ("server.reload", "told", vec!["Info: again"]),
    ] {
        assert_eq!(script.raise(event), returned, "{event}");
        assert_eq!(script.done(), done, "{event}");
    }
    let fault = script.raise("server.shutdown");
    assert_eq!(fault, "scripts/tag.js:17:47 Error: there is no session at this event");
    assert_eq!(script.events.len(), 15);
}

#[test]
fn nobody_waits_for_a_verdict_at_a_notify_event() {
    let mut script = Script::of("export function inDisconnect() { return reject('No') }");
    assert_eq!(
        script.raise("in.disconnect"),
        "scripts/tag.js:1:8 TypeError: inDisconnect returned reject, but nobody waits for a verdict at in.disconnect"
    );
}

#[test]
fn what_is_kept_from_one_call_is_gone_in_the_next() {
    let mut script = Script::of(
        "let kept, client;\nexport function onArrival(message, ctx) {\n  if (kept) return kept.subject;\n  kept = message; client = ctx.session;\n}\nexport function inData() { client.delay(5) }",
    );
    assert_eq!(script.raise("transport.submit"), "next");
    let gone = "is no longer available: the event that it belongs to is over";
    assert_eq!(script.raise("transport.submit"), format!("scripts/tag.js:3:20 Error: message {gone}"));
    assert_eq!(script.raise("in.data"), format!("scripts/tag.js:6:35 Error: session {gone}"));
    assert!(script.done().is_empty());
}

#[test]
fn time_and_chance_are_the_host_s_at_every_call() {
    let mut script =
        Script::of("export function inData() { console.log(Date.now(), new Date().getUTCFullYear(), Math.random()) }");
    for (now, logged) in
        [(0, "Info: 0 1970 0.2509803921568628"), (1_700_000_000_000, "Info: 1700000000000 2023 0.501960784313725")]
    {
        script.world().now = now;
        assert_eq!(script.raise("in.data"), "next");
        let done = script.done();
        assert!(done.first().is_some_and(|line| line.starts_with(logged.rsplit_once('.').unwrap().0)), "{done:?}");
    }
}

#[test]
fn a_self_test_fails_by_throwing_or_by_false() {
    let run = |body: &str| {
        let mut script =
            Script::of(&format!("export function inData() {{}}\nexport function selfTest(ctx) {{ {body} }}"));
        script.call::<_, (Result<(), String>,)>("mailsluice:sink/self-test@1.0.0", "run", ()).unwrap().0
    };
    assert_eq!(run("if (ctx.config.x) throw 1"), Ok(()));
    assert_eq!(run("return false"), Err("scripts/tag.js:2:8 TypeError: selfTest returned false".to_owned()));
    assert_eq!(run("throw new Error('no list')"), Err("scripts/tag.js:2:43 Error: no list".to_owned()));
    let mut none = Script::of("export function inData() {}");
    assert_eq!(none.call::<_, (Result<(), String>,)>("mailsluice:sink/self-test@1.0.0", "run", ()).unwrap().0, Ok(()));
}
