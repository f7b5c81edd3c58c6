//! The tools for authors: `sink check`, `try` and `bench`, without a configuration and without a server.

use crate::modules;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const MAIL: &[u8] = b"From: carol@example.org\nSubject: Hello\n\nOne\nTwo\n";

/// A folder with files, in which the program is run.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs `mailsluice sink …` where there is no configuration.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailsluice"));
        command.arg("sink").args(args).current_dir(self.0.path()).env_remove("MAILSLUICE_CONFIG");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        // One that ends early does not read it.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// What it printed, to both; and its exit code.
    fn told(&self, args: &[&str], input: &[u8]) -> (String, String, Option<i32>) {
        let output = self.run(args, input);
        let text = |octets| String::from_utf8(octets).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    }
}

#[test]
fn check_tells_what_a_module_is_and_what_it_would_have_to_be_granted() {
    let desk = Desk::new();
    desk.put("mark.wasm", modules::marks_with_kv("one"));
    let (out, errors, code) = desk.told(&["check", "mark.wasm"], b"");
    assert_eq!((errors.as_str(), code), ("", Some(0)));
    assert!(out.contains("mark.wasm: core module, ") && out.contains("1.0 MiB of memory at start\n"), "{out}");
    assert!(out.contains("  hears    transport.submit\n"), "{out}");
    assert!(out.contains("  needs    [sink.allow]\n           kv = true\n"), "{out}");
    let (out, _, code) = desk.told(&["check", "mark.wasm", "--json"], b"");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((told["allow"].to_string(), code), (r#"["kv"]"#.to_owned(), Some(0)));
    assert_eq!(told["wrong"].as_array().map(Vec::len), Some(0));
}

#[test]
fn check_says_what_is_wrong_and_what_to_do() {
    let desk = Desk::new();
    desk.put("text.wasm", "(module)");
    let (_, errors, code) = desk.told(&["check", "text.wasm"], b"");
    assert_eq!(code, Some(1));
    assert!(errors.contains("this is WebAssembly as text\n  help: make it binary with `wasm-tools parse`"), "{errors}");
    let mut cut = modules::marks("one");
    cut.truncate(cut.len() / 2);
    desk.put("cut.wasm", cut);
    let (_, errors, code) = desk.told(&["check", "cut.wasm"], b"");
    assert!(code == Some(1) && errors.starts_with("error: cut.wasm: "), "{errors}");
    desk.put("b.js", "export function onArrival(m) {\n  console.log(\"x\";\n}\n");
    let (_, errors, code) = desk.told(&["check", "b.js"], b"");
    assert!(code == Some(1) && errors.contains("b.js:2:18 SyntaxError"), "{errors}");
    let (_, errors, code) = desk.told(&["check", "none.wasm"], b"");
    assert!(code == Some(1) && errors.contains("cannot read `none.wasm`"), "{errors}");
}

#[test]
fn try_tells_what_the_transport_would_be_answered() {
    let desk = Desk::new();
    let source = "export function transportRoute(leg) { return answer(`mx:${leg.domain}`) }\n\
        export function transportDeliver(leg) { return answer('Kept') }\n\
        export function transportFailed(leg) { console.log(leg.attempt, leg.host, leg.reply.text) }\n\
        export function dnsResolve(question) { return answer([`10 mx.${question.name}.`]) }\n\
        export function track(step) { console.log(step.step) }\n";
    desk.put("way.js", source);
    for (event, told) in [
        ("transport.route", "by mx:example.net"),
        ("transport.deliver", "recipient 0: 250 Kept"),
        ("transport.failed", "3 mx.example.com:25 [192.0.2.25] No such user"),
        ("dns.resolve", "10 mx.example.net."),
        ("track", "delivered"),
    ] {
        let args = ["try", "way.js", "--event", event, "--rcpt", "bob@example.net", "--attempt", "3"];
        let (out, errors, code) = desk.told(&args, MAIL);
        assert!(code == Some(0) && out.contains(told), "{event}: {out}{errors}");
    }
}

#[test]
fn try_shows_the_difference_a_sink_makes() {
    let desk = Desk::new();
    desk.put("mark.wasm", modules::marks("one"));
    let (out, errors, code) = desk.told(&["try", "mark.wasm", "--event", "transport.submit"], MAIL);
    assert_eq!((errors.as_str(), code), ("", Some(0)), "{out}");
    assert!(out.starts_with("verdict  next\nedits    set X-Mark\n"), "{out}");
    assert!(out.contains("\nheader\n From: carol@example.org\n Subject: Hello\n+X-Mark: one\n"), "{out}");
    assert!(!out.contains("\nbody\n") && out.contains(" of memory\n"), "{out}");
}

#[test]
fn try_shows_the_reply_and_the_console() {
    let desk = Desk::new();
    desk.put("no.wasm", modules::refuses("Not today"));
    let (out, _, code) = desk.told(&["try", "no.wasm", "--event", "transport.submit", "--json"], MAIL);
    assert_eq!(code, Some(0), "a refusal is no failure");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((told["verdict"].as_str(), told["fault"].as_str()), (Some("reject"), None));
    let reply = told["reply"].as_str().unwrap();
    assert!(reply.starts_with("550 5.7.1 Not today (") && reply.ends_with(')'), "{reply}");
    assert_eq!(told["console"][0]["text"], "Not today");
    assert!(told["spent"]["memory"].as_u64().unwrap() >= 1 << 20, "{told}");
}

#[test]
fn try_words_a_fault_as_the_server_does_and_fails() {
    let desk = Desk::new();
    desk.put("trap.wasm", modules::traps("I am lost"));
    let (out, _, code) = desk.told(&["try", "trap.wasm", "--event", "transport.submit"], MAIL);
    assert_eq!(code, Some(1));
    assert!(out.contains("it panicked") && out.contains("it said: I am lost"), "{out}");
    assert!(out.contains("defer (its fault policy)\nreply    451 4.3.0 Local error"), "{out}");
    let (_, errors, code) = desk.told(&["try", "trap.wasm", "--event", "in.rcpt"], b"");
    assert!(code == Some(1) && errors.contains("does not hear `in.rcpt`; it hears: transport.submit"), "{errors}");
    let (_, errors, code) = desk.told(&["try", "trap.wasm", "--event", "in.rctp"], b"");
    assert!(code == Some(2) && errors.contains("there are: in.connect, "), "{errors}");
}

#[test]
fn try_grants_nothing_by_itself() {
    let desk = Desk::new();
    desk.put("mark.wasm", modules::marks_with_kv("one"));
    let (_, errors, code) = desk.told(&["try", "mark.wasm", "--event", "transport.submit"], MAIL);
    assert!(code == Some(1) && errors.contains("it imports `kv`, which the manifest does not grant"), "{errors}");
    let (out, _, code) = desk.told(&["try", "mark.wasm", "--event", "transport.submit", "--allow", "kv"], MAIL);
    assert!(code == Some(0) && out.contains("+X-Mark: one\n"), "{out}");
}

#[test]
fn a_script_is_tried_with_its_configuration() {
    let desk = Desk::new();
    let script = "export function onArrival(message, ctx) {\n  console.log('from', message.sender);\n  \
        message.setHeader('Subject', '[' + ctx.config.tag + '] ' + message.subject);\n}\n\
        export function inRcpt(rcpt) {\n  if (rcpt.address.startsWith('x')) return reject('No x here', { status: '5.1.1' });\n}\n";
    desk.put("tag.js", script);
    desk.put("tag.toml", "tag = \"news\"\n");
    let (out, errors, code) =
        desk.told(&["try", "tag.js", "--event", "transport.submit", "--sink-config", "tag.toml"], MAIL);
    assert_eq!((errors.as_str(), code), ("", Some(0)), "{out}");
    assert!(out.contains("-Subject: Hello\n+Subject: [news] Hello\n"), "{out}");
    assert!(out.contains("\nconsole\ninfo  from sender@example.org\n"), "{out}");
    let args = ["try", "tag.js", "--event", "in.rcpt", "--rcpt", "a@example.com", "--rcpt", "x@example.com"];
    let (out, _, code) = desk.told(&args, b"");
    assert!(code == Some(0) && out.contains("reply    550 5.1.1 No x here ("), "{out}");
}

#[test]
fn bench_prints_what_each_event_costs() {
    let desk = Desk::new();
    desk.put("mark.wasm", modules::marks("one"));
    let (out, _, code) = desk.told(&["bench", "mark.wasm", "--time", "20ms", "--json"], b"");
    assert_eq!(code, Some(0), "{out}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let row = &told["events"][0];
    assert_eq!(row["event"], "transport.submit");
    assert!(row["warm-nanos"]["calls"].as_u64() > Some(0) && row["fresh-nanos"]["p50"].as_u64() > Some(0), "{row}");
    let (out, _, code) = desk.told(&["bench", "mark.wasm", "--time", "20ms"], b"");
    assert!(code == Some(0) && out.contains("\nEVENT  ") && out.contains("\ntransport.submit  "), "{out}");
    desk.put("trap.wasm", modules::traps("I am lost"));
    let (_, errors, code) = desk.told(&["bench", "trap.wasm", "--time", "20ms"], b"");
    assert!(code == Some(1) && errors.contains("it failed at transport.submit: "), "{errors}");
}

#[test]
fn a_new_script_passes_its_check_and_can_be_tried() {
    let desk = Desk::new();
    let args = ["new", "--lang", "script", "--events", "transport.submit,in.rcpt", "--allow", "kv", "my-sink"];
    let (out, errors, code) = desk.told(&args, b"");
    assert_eq!((errors.as_str(), code), ("", Some(0)));
    assert!(out.contains("my-sink/my-sink.js\n") && out.contains("my-sink/dialogue.smtp\n"), "{out}");
    let (out, errors, code) = desk.told(&["check", "my-sink/my-sink.js"], b"");
    assert_eq!((errors.as_str(), code), ("", Some(0)));
    assert!(out.contains("in.rcpt, transport.submit\n"), "{out}");
    let (out, _, code) = desk.told(&["try", "my-sink/my-sink.js", "--event", "transport.submit"], MAIL);
    assert!(code == Some(0) && out.contains("info  from sender@example.org: Hello"), "{out}");
    let (_, errors, code) = desk.told(&args, b"");
    assert!(code == Some(1) && errors.contains("there is something at `my-sink` already"), "{errors}");
    let entry = std::fs::read_to_string(desk.put("x", "").with_file_name("my-sink/sink.toml")).unwrap();
    assert!(entry.contains("[sink.allow]\nkv = true\n"), "{entry}");
}

#[test]
fn a_new_sink_passes_its_own_dialogue_and_what_differs_is_told() {
    let desk = Desk::new();
    desk.told(&["new", "--lang", "script", "--events", "transport.submit", "tag"], b"");
    let (out, errors, code) = desk.told(&["test", "tag"], b"");
    assert_eq!((out.as_str(), errors.as_str(), code), ("ok      dialogue.smtp\n1 dialogue, 0 failed\n", "", Some(0)));
    desk.put(
        "tag/tag.js",
        "export function onArrival() {\n  console.log('no, never');\n  return reject('Never');\n}\n",
    );
    let (out, _, code) = desk.told(&["test", "tag"], b"");
    assert_eq!(code, Some(1));
    assert!(out.starts_with("FAILED  dialogue.smtp\n  dialogue.smtp:16: expected `250 *`, heard\n"), "{out}");
    assert!(
        out.contains("550 5.7.1 Never (") && out.contains("no, never") && out.ends_with("1 dialogue, 1 failed\n"),
        "{out}"
    );
    desk.put(
        "tag/tag.js",
        "export function onArrival(message) {\n  message.addRecipient('bob@elsewhere.example');\n}\n",
    );
    let (out, _, code) = desk.told(&["test", "tag"], b"");
    assert!(code == Some(1) && out.contains("another envelope was accepted:"), "{out}");
    desk.put("tag/tag.js", "export function onArrival(message) {\n");
    let (out, _, code) = desk.told(&["test", "tag"], b"");
    assert!(code == Some(1) && out.contains("the server did not get ready") && out.contains("tag.js:"), "{out}");
}
