//! Sessions in the hands of guests: who logs in, mechanisms and commands of a script's own, further lines and octets, the queue, and
//! the bounds of what can be answered there.

use crate::auth::talk_to;
use crate::server::{Server, Site};

const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
role = "submission"
clear-text-without-tls = true
auth = ["PLAIN"]
[domains]
local = ["example.com"]
[recipients]
users = ["alice"]
[limits]
free-space = "0 B"
"#;

/// A server with a script; what it is granted, and other keys, in `more`.
fn server(script: &str, more: &str) -> Server {
    server_with(CONFIG, script, more)
}

fn server_with(config: &str, script: &str, more: &str) -> Server {
    let site = Site::new(config);
    site.write("it.js", script);
    site.write("sinks.toml", &format!("[[sink]]\nname = \"it\"\nscript = \"it.js\"\n{more}\n"));
    site.start()
}

fn talk(server: &Server, text: &str) {
    talk_to(server.address(0), text);
}

#[test]
fn a_script_decides_who_logs_in() {
    let server = server(
        "export function inAuth(it, ctx) {\n\
           if (it.proof === 'password' && it.password === 'tea') return answer({ user: it.user, senders: ['*@example.com'] });\n\
           if (it.user === 'later') return defer('Not now');\n\
           return reject('No tea', { status: '5.7.8' });\n\
         }",
        "",
    );
    talk(
        &server,
        "S: 220 *\nC: EHLO c\nS* AUTH *\nC: AUTH PLAIN {\\0ann\\0coffee}\nS: 550 5.7.8 No tea\nC: AUTH PLAIN {\\0later\\0x}\nS: 454 *",
    );
    talk(
        &server,
        "S: 220 *\nC: EHLO c\nS* AUTH *\nC: AUTH PLAIN {\\0ann\\0tea}\nS: 235 *\nC: MAIL FROM:<ann@example.net>\nS: 553 5.7.1 *\n\
         C: MAIL FROM:<x@example.com>\nS: 250 *",
    );
}

#[test]
fn a_script_brings_a_mechanism_of_its_own() {
    let server = server_with(
        &CONFIG.replace(r#"["PLAIN"]"#, r#"["PLAIN", "X-RIDDLE"]"#),
        "export const claims = { authMechanisms: ['X-RIDDLE'] };\n\
         export function inAuth(it, { session }) {\n\
           if (it.proof !== 'step') return next();\n\
           if (it.step === 0) { session.setProperty('asked', 'what?'); return answer({ challenge: 'what?' }) }\n\
           const said = new TextDecoder().decode(it.octets);\n\
           return session.property('asked') === 'what?' && said === 'nothing' ? answer('sphinx') : reject();\n\
         }",
        "",
    );
    let greeted = "S: 220 *\nC: EHLO c\nS* AUTH * X-RIDDLE\n";
    talk(&server, &format!("{greeted}C: AUTH X-RIDDLE\nS: 334 {{what?}}\nC: {{nothing}}\nS: 235 *"));
    talk(&server, &format!("{greeted}C: AUTH X-RIDDLE\nS: 334 {{what?}}\nC: {{all}}\nS: 535 5.7.8 *"));
}

/// The verbs of these tests.
const VERBS: &str = "export const claims = { verbs: [\n\
       { name: 'XLINE', keyword: 'XLINE 1' }, 'XBLOB', 'XLOGIN', 'XTURN', 'XHUGE',\n\
       { name: 'XKICK', keyword: 'XKICK', clients: ['127.0.0.0/8'] },\n\
       { name: 'XFAR', keyword: 'XFAR', clients: ['192.0.2.0/24'] },\n\
       { name: 'XUSER', keyword: 'XUSER', users: ['ann'], early: true, refusal: { text: 'Not you' } },\n\
     ] };\n\
     export function inAuth(it) { return answer(it.user) }\n\
     export async function inCommand(it, ctx) {\n\
       const { verb, argument, further } = it;\n\
       if (verb === 'XLINE') return further ? answer(`${further.step}: ${further.text}`) : answer({ text: 'Say', line: 20 });\n\
       if (verb === 'XBLOB') return further ? answer(`${further.octets.length} octets`) : answer({ text: 'Go', octets: Number(argument) });\n\
       if (verb === 'XLOGIN') return answer({ instead: `AUTH PLAIN ${argument}` });\n\
       if (verb === 'XTURN') return answer({ text: 'Turning', turn: ['example.org'] });\n\
       if (verb === 'XHUGE') return answer({ octets: 2 ** 21 });\n\
       if (verb === 'XKICK') return answer(`${await ctx.queue.start(argument)} ${ctx.queue.waiting(argument)}`);\n\
       return answer(`${verb} ${argument}`);\n\
     }";

#[test]
fn commands_ask_for_more_and_stand_for_others() {
    let server = server(VERBS, "[sink.allow]\nqueue = true");
    let greeted = "S: 220 *\nC: EHLO c\n";
    talk(
        &server,
        &format!(
            "{greeted}S* XLINE 1\nC: XLINE x\nS: 334 Say\nC: hello there\nS: 250 *1: hello there\nC: XBLOB 7\nS: 354 Go\nC: 12345\nS: 250 *7 octets\n\
             C: XHUGE\nS: 451 *\nC: XLOGIN {{\\0ann\\0x}}\nS: 235 *\nC: XUSER me\nS: 250 *XUSER me"
        ),
    );
    server.logged("at most 1048576 octets can be asked for, and 2097152 were");
}

#[test]
fn a_verb_is_there_for_whom_it_is_meant() {
    let server = server(VERBS, "[sink.allow]\nqueue = true");
    let greeted = "S: 220 *\nC: EHLO c\n";
    talk(
        &server,
        &format!("{greeted}S* XKICK\nC: XKICK example.com\nS: 250 *0 0\nC: XKICK #x\nS: 451 *\nC: XFAR x\nS: 500 *"),
    );
    talk(
        &server,
        &format!(
            "{greeted}S* XUSER\nC: XUSER me\nS: 530 5.7.0 *\nC: AUTH PLAIN {{\\0bob\\0x}}\nS: 235 *\nC: XUSER me\nS: 550 5.7.1 Not you*"
        ),
    );
    server.logged("`#x` is no domain");
}

#[test]
fn roles_are_swapped_and_the_queue_is_steered_with_a_grant_only() {
    let greeted = "S: 220 *\nC: EHLO c\nS* XLINE 1\n";
    let granted = server(VERBS, "[sink.allow]\nqueue = true");
    // Nothing waits: the server takes its leave as a client that has nothing to say.
    talk(&granted, &format!("{greeted}C: XTURN\nS: 250 *Turning"));
    let bare = server(VERBS, "");
    talk(&bare, &format!("{greeted}C: XTURN\nS: 451 *\nC: XKICK example.com\nS: 451 *"));
    bare.logged("to swap roles needs `allow.queue = true`");
    bare.logged("queue needs `allow.queue = true`");
}

#[test]
fn claimed_parameters_are_read() {
    let server = server(
        "export const claims = { mailParams: ['XTAG'], rcptParams: ['XFOR'] };\n\
         export function inAuth(it) { return answer(it.user) }\n\
         export function inRcpt(rcpt) {\n\
           return reject(`${rcpt.message.parameter('xtag')} ${rcpt.parameter('XFOR')} ${rcpt.parameter('XTAG')}`);\n\
         }",
        "",
    );
    talk(
        &server,
        "S: 220 *\nC: EHLO c\nS* AUTH *\nC: AUTH PLAIN {\\0ann@example.com\\0x}\nS: 235 *\nC: MAIL FROM:<ann@example.com> XTAG=blue\nS: 250 *\n\
         C: RCPT TO:<alice@example.com> XFOR=you\nS: 550 5.7.1 blue you undefined*",
    );
}
