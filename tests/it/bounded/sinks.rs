//! Calls that never return: what a sink keeps waiting is bounded, and others are served. Sinks that an embedder compiles in
//! run in the process of the test, so each of these tests has one of its own.

use super::memory::{Memory, threads};
use super::{MIB, watched};
use crate::inside::{Inside, Plan};
use crate::own_sinks::{Own, bound};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::event::{Edits, Event, Hearing, Verdict};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

/// Whether this process is the one in which the test, of this name below `bounded`, is to run. If it is not, one is started, and
/// the test is over when that has passed.
pub(super) fn alone(test: &str) -> bool {
    const NAME: &str = "MAILSLUICE_ALONE";
    if std::env::var(NAME).is_ok_and(|name| name == test) {
        return true;
    }
    let binary = std::env::current_exe().expect("the binary of the tests");
    let mut command = std::process::Command::new(binary);
    let full = format!("bounded::{test}");
    let output = command.args([&full, "--exact", "--nocapture"]).env(NAME, test).output().expect("starting it");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "no test has this name: {full}");
    print!("{told}");
    false
}

/// The sink is called for mail from `a@client.example`; `quick`, which blocks as well and returns, for that of others.
fn server(own: Own, event: Event) -> Inside {
    let quick = Own::at(&[event], |_, _| Hearing::Blocking(Box::new(|| Ok((Verdict::Next, Edits::new())))));
    let on = |sender: &str, deadline: &str| {
        let when = format!("when = {{ sender = \"{sender}\" }}\non-fault = \"continue\"\ndeadline = \"{deadline}\"\n");
        format!("[[sink.on]]\nevent = \"{}\"\n{when}", event.name())
    };
    let manifest = bound("own")
        + &on("a@client.example", "2 s")
        + &bound("quick")
        + &on("b@client.example", "10 s").replace("\"continue\"", "\"defer\"");
    let config = format!("{}connections-per-client = 1000\n", Site::PLAIN);
    let plan = Plan::new(&config).natives(own.named("own")).natives(quick.named("quick"));
    let server = plan.manifest(&manifest).start();
    super::warm_up(server.address(0));
    server
}

/// Many messages at a time to a sink that does not return.
fn send_many(server: &Inside, clients: usize, each: usize) {
    let message = format!("Subject: x\r\n\r\n{}", "0123456789abcdef\r\n".repeat(1000));
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut client = SmtpClient::greeted(server.address(0));
                for _ in 0..each {
                    client.deliver("a@client.example", &["alice@example.com"], &message).must_be(250);
                }
            });
        }
    });
    eventually("nobody to be left", || (server.server.gate.count() <= 1).then_some(()));
}

#[test]
fn calls_that_wait_for_ever() {
    if !alone("sinks::calls_that_wait_for_ever") {
        return;
    }
    let (waiting, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (waiting.clone(), most.clone());
    let own = Own::at(&[Event::TransportSubmit], move |_, _| {
        let call = Counted::new(&counted, &highest);
        Hearing::Later(Box::pin(async move {
            let _call = call;
            pending().await
        }))
    });
    let server = server(own, Event::TransportSubmit);
    watched("calls that wait for ever", &Memory::of(std::process::id()), server.address(0), 48 * MIB, || {
        send_many(&server, 60, 10);
    });
    assert_eq!(waiting.load(SeqCst), 0, "none of {} at a time is left", most.load(SeqCst));
}

#[test]
fn calls_that_block_for_ever() {
    if !alone("sinks::calls_that_block_for_ever") {
        return;
    }
    let (blocked, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (blocked.clone(), most.clone());
    let end = Arc::new((Mutex::new(false), Condvar::new()));
    let until = end.clone();
    let own = Own::at(&[Event::TransportSubmit], move |_, _| {
        let (counted, highest, until) = (counted.clone(), highest.clone(), until.clone());
        Hearing::Blocking(Box::new(move || {
            let _call = Counted::new(&counted, &highest);
            let ended = until.1.wait_while(until.0.lock().unwrap(), |ended| !*ended);
            drop(ended.unwrap());
            Ok((Verdict::Next, Edits::new()))
        }))
    });
    let server = server(own, Event::TransportSubmit);
    let before = threads(std::process::id());
    watched("calls that block for ever", &Memory::of(std::process::id()), server.address(0), 48 * MIB, || {
        send_many(&server, 100, 6);
    });
    // Its share is 16. The threads that deliver files are there as well.
    assert!(most.load(SeqCst) <= 16, "{} calls at a time", most.load(SeqCst));
    let after = threads(std::process::id());
    println!("{} calls block; {after} threads, {before} before", blocked.load(SeqCst));
    *end.0.lock().unwrap() = true;
    end.1.notify_all();
}

#[cfg(feature = "wasm")]
#[test]
fn scripts_that_never_end() {
    let site = Site::new(&format!("{}connections-per-client = 1000\n", Site::PLAIN));
    site.write("spin.js", "export function onArrival() { const all = []; for (;;) { all.push(all.length); } }\n");
    let on = "[[sink.on]]\nevent = \"transport.submit\"\nwhen = { sender = \"a@client.example\" }\non-fault = \"continue\"\n";
    site.write(
        "sinks.toml",
        &format!("[[sink]]\nname = \"spin\"\nscript = \"spin.js\"\nlimits = {{ cpu = \"20 ms\" }}\n{on}"),
    );
    let server = site.start();
    super::warm_up(server.address(0));
    // Calls that run at a time may have 64 MiB each, and there are as many as there are processors.
    super::attacked("scripts that never end", &server, 256 * MIB, || {
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let mut client = SmtpClient::greeted(server.address(0));
                    for _ in 0..5 {
                        let to = ["alice@example.com"];
                        client.deliver("a@client.example", &to, "Subject: x\r\n\r\nx\r\n").must_be(250);
                    }
                });
            }
        });
    });
}

/// A call that is counted as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>, most: &AtomicUsize) -> Self {
        most.fetch_max(count.fetch_add(1, SeqCst) + 1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
