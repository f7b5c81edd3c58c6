//! Commands of a script's own, and logging in.

use crate::rig::{Script, same, step};

fn raise(event: &str, source: &str) -> String {
    Script::of(source).raise(event)
}

#[test]
fn a_command_is_answered_in_more_ways_than_one() {
    let rows = [
        ("'Fine'", "answer 250 Fine"),
        ("{ text: 'Say', line: 200 }", "answer 334 Say and then a line of 200"),
        ("{ octets: 10 }", "answer 354  and then 10 octets"),
        ("{ code: 350, text: 'Go on', octets: 0 }", "answer 350 Go on and then 0 octets"),
        (
            "{ text: 'Turning', turn: ['example.com', '@example.net'] }",
            r#"answer 250 Turning and turn ["example.com", "@example.net"]"#,
        ),
        ("{ instead: 'AUTH PLAIN AAA=' }", "answer instead AUTH PLAIN AAA="),
        (
            "{ code: 250, line: 5 }",
            "scripts/tag.js:1:36 RangeError: the code of answer must be a whole number from 300 to 399, not 250",
        ),
        ("{ line: 5, octets: 5 }", "scripts/tag.js:1:36 TypeError: answer takes one of line and octets, not both"),
        ("{ text: 'x', instead: 'AUTH' }", "scripts/tag.js:1:36 TypeError: answer takes no reply beside `instead`"),
        (
            "{ line: 'x' }",
            "scripts/tag.js:1:36 RangeError: the number of `line` must be a whole number from 0 to 4294967295, not a string",
        ),
        (
            "{ turn: 'example.com' }",
            "scripts/tag.js:1:36 TypeError: the domains of `turn` must be a list, not a string",
        ),
    ];
    same(&rows, |value| raise("in.command", &format!("export function inCommand() {{return answer({value})}}")));
}

#[test]
fn what_has_come_since_a_command_is_there() {
    let mut script = Script::of(
        "export function inCommand({ further }) {\n  if (further === undefined) return answer({ line: 9 });\n  \
         console.log(further.step, further.octets.length, further.text);\n}",
    );
    assert_eq!(script.raise("in.command"), "answer 334  and then a line of 9");
    script.world().further = Some((1, b"h\xc3\xa9".to_vec()));
    assert_eq!(script.raise("in.command"), "next");
    assert_eq!(script.done(), ["Info: 1 3 hé"]);
}

#[test]
fn who_logs_in_is_decided() {
    let rows = [
        ("answer(it.user)", "answer user ann None"),
        ("answer({ user: it.user, senders: ['*@example.com'] })", r#"answer user ann Some(["*@example.com"])"#),
        ("it.password === 'sesame' && it.proof === 'password' ? next() : reject()", "next"),
        ("it.token === undefined && it.step === undefined && it.octets === undefined ? next() : reject()", "next"),
        (
            "answer({ user: 'x', challenge: 'y' })",
            "scripts/tag.js:1:36 TypeError: answer takes a user or a challenge, not both",
        ),
        (
            "answer({ user: 'x', senders: 'y' })",
            "scripts/tag.js:1:36 TypeError: the senders of answer must be a list, not a string",
        ),
        (
            "answer(5)",
            "scripts/tag.js:1:8 TypeError: inAuth returned an answer that is none at in.auth: it takes { user }, a user's name, or { challenge: octets }",
        ),
    ];
    same(&rows, |value| raise("in.auth", &format!("export function inAuth(it) {{ return {value} }}")));
}

#[test]
fn a_mechanism_of_its_own_takes_steps() {
    let mut script = Script::of(
        "const text = (octets) => new TextDecoder().decode(octets);\nexport const claims = { authMechanisms: ['X-TEST'] };\n\
         export function inAuth(it) {\n  if (it.octets === undefined) return answer({ challenge: `${it.mechanism} ${it.step}` });\n  \
         return text(it.octets) === 'sesame' ? answer({ user: 'ann' }) : reject('No');\n}",
    );
    script.world().credentials = Some(step(0, None));
    assert_eq!(script.raise("in.auth"), r#"answer challenge "X-TEST 0""#);
    script.world().credentials = Some(step(1, Some("sesame")));
    assert_eq!(script.raise("in.auth"), "answer user ann None");
    script.world().credentials = Some(step(1, Some("x")));
    assert_eq!(script.raise("in.auth"), "reject 250 No");
}

#[test]
fn the_queue_is_steered() {
    let mut script = Script::of(
        "export async function inCommand(command, ctx) {\n  const tried = await ctx.queue.start('example.com');\n  \
         return answer(`${tried} ${ctx.queue.waiting(['@example.com'])}`);\n}\n\
         export async function inConnect(session, ctx) { await ctx.queue.start(['#x']) }",
    );
    assert_eq!(script.raise("in.command"), "answer 250 3 7");
    assert_eq!(script.done(), [r#"start ["example.com"]"#]);
    assert!(script.raise("in.connect").contains("Error: queue: no domain"));
}
