//! The real binary under the names `sendmail`, `mailq` and `newaliases`.

use crate::server::{Server, Site};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

/// Runs the program under another name, as cron and PHP do.
fn called(site: &Site, name: &str, args: &[&str], input: &str) -> Output {
    let link = site.path(name);
    if !link.exists() {
        symlink(env!("CARGO_BIN_EXE_mailsluice"), &link).unwrap();
    }
    let mut command = Command::new(link);
    command.args(args).env("MAILSLUICE_CONFIG", site.path("mailsluice.toml")).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that fails early does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ends(output: &Output, code: i32, told: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(errors.contains(told), "{told}\n{errors}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn start() -> Server {
    Site::new(Site::PLAIN).start()
}

#[test]
fn as_cron_and_php_call_it() {
    let server = start();
    let cron = ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "bob"];
    ends(&called(&server, "sendmail", &cron, "Subject: Cron\n\nout\n.\nput\n"), 0, "");
    let [message] = server.arrived("example.com", "bob", 1).try_into().expect("one message");
    let text = String::from_utf8(message).unwrap();
    assert!(text.contains("\nFrom: \"CronDaemon\" <") && text.ends_with("\n\nout\n.\nput\n"), "{text}");
    let php = ["-t", "-i", "-fwww@example.com"];
    ends(&called(&server, "sendmail", &php, "To: alice\nBcc: bob\nSubject: PHP\n\nhello\n"), 0, "");
    let [message] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    let text = String::from_utf8(message).unwrap();
    assert!(text.starts_with("Return-Path: <www@example.com>\n") && !text.contains("Bcc"), "{text}");
    assert_eq!(server.arrived("example.com", "bob", 2).len(), 2);
}

#[test]
fn exit_codes_are_those_of_sysexits() {
    let server = start();
    for (args, input, code, told) in [
        (&["carol@example.com"][..], "\n", 67, "No such user here"),
        (&["-i", "bob"], "Subject: x\n\n\0\n", 65, "The message has a NUL"),
        (&["-t"], "Subject: x\n\n", 64, "no recipients"),
        (&["-t"], "To: a b\n\n", 65, "can't be used"),
        (&["-f", "a b", "bob"], "\n", 64, "can't be used"),
        (&["-Z"], "", 64, "there is no option -Z"),
        (&["-bs"], "", 64, "-bs is not supported"),
        (&["bob", "-Xlog"], "\n", 64, "options come first"),
        (&["-N", "often", "bob"], "\n", 64, "-N takes"),
        (&["-C", "/nowhere.toml", "bob"], "\n", 78, "does not exist"),
    ] {
        ends(&called(&server, "sendmail", args, input), code, told);
    }
    let site = server.stop();
    ends(&called(&site, "sendmail", &["bob"], "\n"), 75, "the server does not run");
}

#[test]
fn the_queue_and_the_aliases_have_their_names() {
    let site = Site::new(Site::PLAIN);
    site.write(
        "sinks.toml",
        "[[sink]]\nname = \"house\"\nnative = \"policy\"\n[[sink.config.rule]]\nevent = \"transport.submit\"\nwhen = {}\n\
        hold = \"looks odd\"\n",
    );
    let server = site.start();
    ends(&called(&server, "sendmail", &["-v", "bob"], "\n"), 0, " accepted");
    for (name, args) in [("mailq", &[][..]), ("sendmail", &["-bp"])] {
        let output = called(&server, name, args, "");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("looks odd"), "{name}: {text}");
    }
    ends(&called(&server, "newaliases", &[], ""), 0, "nothing to do");
    ends(&called(&server, "sendmail", &["-q"], ""), 0, "nothing to do");
}

#[test]
fn reports_that_are_asked_for_go_with_the_message() {
    let site =
        Site::new(&format!("{}[[route]]\ndomain = \"far.example\"\nto = {{ smtp = \"127.0.0.1:9\" }}\n", Site::PLAIN));
    let server = site.start();
    let args = ["-N", "success,failure", "-R", "hdrs", "-V", "order 7", "x@far.example"];
    ends(&called(&server, "sendmail", &args, "\n"), 0, "");
    let log = server.path("var/spool/log");
    let held = std::fs::read_dir(log).unwrap().any(|segment| {
        let octets = std::fs::read(segment.unwrap().path()).unwrap();
        String::from_utf8_lossy(&octets).contains("order+207")
    });
    assert!(held, "the envelope in the spool has the id");
}
