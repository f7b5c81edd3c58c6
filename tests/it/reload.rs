//! Reloads, by SIGHUP and by the files' change: what does not pass leaves everything in force as it was and says why, what
//! passes takes effect, and nobody sees half of it.

use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

/// Everybody who is told something by this manifest is told which version it is.
fn manifest(version: &str) -> String {
    format!(
        r#"
[[sink]]
name = "policy"
native = "policy"
[[sink.config.rule]]
event = "in.mail"
when = {{ sender = ["*@spam.example", "@lists/senders.txt"] }}
reject = "This is {version}"
[[sink.config.rule]]
event = "transport.submit"
set-header = {{ name = "X-Version", value = "{version}" }}
"#
    )
}

fn config(watch: bool) -> String {
    format!("{}[reload]\nwatch = {watch}\n", Site::PLAIN)
}

/// A site with version one of everything.
fn site(watch: bool) -> Site {
    let site = Site::new(&config(watch));
    site.write("lists/senders.txt", "listed@client.example\n");
    site.write("sinks.toml", &manifest("one"));
    site
}

/// What the server tells somebody whom the manifest refuses.
fn version(server: &Server) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.command("MAIL FROM:<x@spam.example>").must_be(550);
    reply.lines[0].split_once("This is ").expect("a version").1.split(' ').next().unwrap().to_owned()
}

fn generation(server: &Server) -> u64 {
    server.status().generation
}

/// A way in which a reload can fail: its name, what is done to the site, and what the log must say.
type Way = (&'static str, fn(&Site), &'static str);

const WAYS: &[Way] = &[
    ("configuration that is not TOML", |s| s.write("mailsluice.toml", "[[listener\n"), "mailsluice.toml:1:"),
    ("unknown setting", |s| s.configure(&(config(true) + "wach = true\n")), "did you mean `watch`?"),
    ("manifest that is not TOML", |s| s.write("sinks.toml", "[[sink]\n"), "sinks.toml:1:"),
    (
        "unknown sink",
        |s| s.write("sinks.toml", &manifest("two").replace("native = \"policy\"", "native = \"polcy\"")),
        "there is no native sink `polcy`",
    ),
    ("bad rule", |s| s.write("sinks.toml", &manifest("two").replace("sender =", "sendr =")), "did you mean `sender`?"),
    ("sink's configuration", |s| s.write("sinks.toml", &manifest("two").replace("in.mail", "in.mial")), "`in.mial`"),
    ("missing list", |s| s.write("sinks.toml", &manifest("two").replace("senders.txt", "gone.txt")), "lists/gone.txt"),
    ("list that went", |s| fs::remove_file(s.path("lists/senders.txt")).unwrap(), "lists/senders.txt"),
    ("manifest that went", |s| fs::remove_file(s.path("sinks.toml")).unwrap(), "sinks.toml"),
    (
        "another listener",
        |s| s.configure(&config(true).replace("127.0.0.1:0", "127.0.0.2:0")),
        "[[listener]] can't change while the server runs; restart it",
    ),
    (
        "another data-dir",
        |s| {
            s.write(
                "mailsluice.toml",
                &format!("hostname = \"mx.example.com\"\ndata-dir = \"elsewhere\"\n{}", config(true)),
            )
        },
        "data-dir and [admin] can't change while the server runs; restart it",
    ),
];

/// Puts back version one of everything, as [`site`] made it.
fn mend(server: &Server, watch: bool) {
    server.configure(&config(watch));
    server.write("lists/senders.txt", "listed@client.example\n");
    server.write("sinks.toml", &manifest("one"));
}

/// Tries every way on one server. `tell` is what makes it look, apart from the change itself.
fn fails_every_way(watch: bool, tell: fn(&Server)) {
    let server = site(watch).start();
    for (name, break_it, why) in WAYS {
        println!("{name}");
        let generation = generation(&server);
        let before = server.log().len();
        break_it(&server);
        tell(&server);
        server.logged_since(before, "the reload failed; what was in force stays in force");
        server.logged_since(before, why);
        let failure = || server.status().reload_failure.map(|f| f.error);
        let told = eventually("the failure in status", failure);
        assert!(told.contains(why), "{name}: {told}");
        assert_eq!(generation, self::generation(&server), "{name}");
        assert_eq!(version(&server), "one", "{name}");
        assert_eq!(refused(&server, "listed@client.example"), 550, "{name}");
        mend(&server, watch);
        tell(&server);
        eventually("the mended one", || server.status().reload_failure.is_none().then_some(()));
    }
    assert_eq!(generation(&server), 1 + WAYS.len() as u64, "each of them mended");
}

/// The code that this sender gets.
fn refused(server: &Server, sender: &str) -> u16 {
    SmtpClient::greeted(server.address(0)).command(&format!("MAIL FROM:<{sender}>")).code
}

#[test]
fn what_does_not_pass_leaves_the_old_in_force_on_sighup() {
    fails_every_way(false, Server::reload);
}

#[test]
fn what_does_not_pass_leaves_the_old_in_force_when_files_change() {
    fails_every_way(true, |_| {});
}

#[test]
fn the_command_waits_and_tells() {
    let server = site(false).start();
    server.write("sinks.toml", &manifest("two"));
    server.told(&["reload"]);
    assert_eq!((version(&server).as_str(), generation(&server)), ("two", 2));
    server.write("sinks.toml", "[[sink]]\nnam = 1\n");
    let output = server.cli(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    let (told, checked) = (String::from_utf8_lossy(&output.stderr), server.cli(&["check"]));
    assert!(told.contains("did you mean `name`?"), "{told}");
    assert_eq!(checked.status.code(), Some(1), "`check` agrees");
    assert_eq!(version(&server), "two");
}

#[test]
fn what_passes_takes_effect_whichever_file_changed_and_however() {
    let server = site(true).start();
    let in_force = |n| eventually("the next generation", || (generation(&server) == n).then_some(()));
    // The manifest, by rename.
    server.write("sinks.toml", &manifest("two"));
    in_force(2);
    assert_eq!(version(&server), "two");
    // A list of a sink's, written in place.
    fs::write(server.path("lists/senders.txt"), "other@client.example\n").unwrap();
    in_force(3);
    assert_eq!((refused(&server, "listed@client.example"), refused(&server, "other@client.example")), (250, 550));
    // The configuration, and a file that it names, which was not there before.
    server.write("users.txt", "carol\n");
    server.configure(&config(true).replace("\"bob\"", "{ file = \"users.txt\" }"));
    in_force(4);
    let rcpt = |user: &str| {
        let mut client = SmtpClient::greeted(server.address(0));
        client.command("MAIL FROM:<a@client.example>").must_be(250);
        client.command(&format!("RCPT TO:<{user}@example.com>")).code
    };
    assert_eq!((rcpt("carol"), rcpt("bob")), (250, 550));
    server.write("users.txt", "bob\n");
    in_force(5);
    assert_eq!((rcpt("carol"), rcpt("bob")), (550, 250));
    // The same bytes again are no change.
    server.write("users.txt", "bob\n");
    server.write("sinks.toml", &manifest("three"));
    in_force(6);
    assert_eq!(version(&server), "three");
}

#[test]
fn a_manifest_that_comes_later_is_seen() {
    let server = Site::new(&config(true)).start();
    assert_eq!(refused(&server, "x@spam.example"), 250);
    server.write("lists/senders.txt", "");
    server.write("sinks.toml", &manifest("one"));
    eventually("the manifest", || (refused(&server, "x@spam.example") == 550).then_some(()));
}

#[test]
fn swapped_symlinks_are_changes() {
    // As orchestrators do it: files are links through `..data`, which is exchanged as one.
    let site = Site::new(&config(true));
    for version in ["one", "two"] {
        site.write(&format!("..{version}/sinks.toml"), &manifest(version));
        site.write(&format!("..{version}/lists/senders.txt"), "");
    }
    let link = |site: &Site, target: &str| {
        symlink(target, site.path("..new")).unwrap();
        fs::rename(site.path("..new"), site.path("..data")).unwrap();
    };
    link(&site, "..one");
    symlink("..data/sinks.toml", site.path("sinks.toml")).unwrap();
    symlink("..data/lists", site.path("lists")).unwrap();
    let server = site.start();
    for (version, generation) in [("two", 2), ("one", 3)] {
        link(&server, &format!("..{version}"));
        eventually(version, || (self::version(&server) == version).then_some(()));
        assert_eq!(self::generation(&server), generation);
    }
}

#[test]
fn half_written_files_are_waited_for() {
    let server = site(true).start();
    let text = manifest("two");
    let mut file = File::create(server.path("sinks.toml")).unwrap();
    let mut slowest = Duration::ZERO;
    for part in text.as_bytes().chunks(text.len() / 8) {
        let began = Instant::now();
        file.write_all(part).unwrap();
        file.flush().unwrap();
        std::thread::park_timeout(Duration::from_millis(20));
        slowest = slowest.max(began.elapsed());
    }
    drop(file);
    eventually("the whole file", || (version(&server) == "two").then_some(()));
    // On a machine that was too busy to write it in time, the half was rightly read, and refused.
    if slowest < Duration::from_millis(60) {
        assert!(!server.log().contains("the reload failed"), "{}", server.log());
        assert_eq!(generation(&server), 2);
    }
}

/// Octets that the process has read so far, from files and otherwise.
fn read_by(server: &Server) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", server.pid())).unwrap();
    io.lines().find_map(|l| l.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[test]
fn who_reads_a_file_changes_nothing() {
    let server = site(true).start();
    let mut large = config(true);
    (0..20_000).for_each(|n| writeln!(large, "# {n:060}").unwrap());
    server.configure(&large);
    eventually("the large configuration", || (read_by(&server) > 2 * large.len() as u64).then_some(()));
    server.told(&["status"]);
    fs::read(server.path("mailsluice.toml")).unwrap();
    let before = read_by(&server);
    // Five times as long as it takes to find out that nothing has changed, which it may do once.
    std::thread::park_timeout(Duration::from_millis(600));
    let read = read_by(&server) - before;
    assert!(read <= 3 * large.len() as u64, "{read} octets were read, again and again");
}

#[test]
fn somebody_who_writes_beside_the_files_keeps_no_change_waiting() {
    let server = site(true).start();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let beside = server.path("busy.log");
    let writer = std::thread::spawn(move || {
        let mut file = File::create(beside).unwrap();
        while stopped.recv_timeout(Duration::from_millis(5)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            file.write_all(b"one more line\n").unwrap();
        }
    });
    server.write("sinks.toml", &manifest("two"));
    eventually("the change", || (version(&server) == "two").then_some(()));
    drop(stop);
    writer.join().unwrap();
}

#[test]
fn a_transaction_sees_one_version_and_the_next_one_the_other() {
    let server = site(false).start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    server.write("sinks.toml", &manifest("two"));
    server.configure(&config(false).replace("\"alice\", ", ""));
    server.told(&["reload"]);
    // Alice is gone, but not for who began before.
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client.command("RCPT TO:<bob@example.com>").must_be(250);
    client.command("DATA").must_be(354);
    client.content("Subject: x\r\n\r\ny\r\n");
    let first = client.expect(250);
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    let second = client.command("RCPT TO:<alice@example.com>").must_be(550);
    client.quit();
    let [delivered] = server.arrived("example.com", "bob", 1).try_into().unwrap();
    assert!(String::from_utf8(delivered).unwrap().contains("\nX-Version: one\n"));
    assert_eq!(server.account(first.id()).ledger.generation, 1);
    assert_eq!(server.account(second.id()).ledger.generation, 2);
    // The pass is another matter: by the directory now in force there is no Alice to deliver to.
    let alice = eventually("what became of Alice", || {
        let alice = server.account(first.id()).recipients.remove(0);
        (alice.state == "done").then_some(alice)
    });
    let last = alice.last.unwrap();
    assert_eq!((&last["outcome"], &last["reply"]["status"]), (&"failed".into(), &"5.1.1".into()), "{last}");
}

/// Two sinks, of which only one reads a file.
fn two_sinks(text: &str) -> String {
    format!(
        r#"
[[sink]]
name = "rate"
native = "rate-limit"
config = {{ limits = [{{ per = "sender", rate = "2/1h" }}] }}
[[sink]]
name = "grey"
native = "greylist"
config = {{ delay = "1h" }}
[[sink.on]]
event = "in.rcpt"
when = {{ recipient = "bob@example.com" }}
{text}"#
    ) + &manifest("one")
}

#[test]
fn a_sink_that_did_not_change_keeps_its_state() {
    let site = site(false);
    site.write("sinks.toml", &two_sinks(""));
    let server = site.start();
    let mail = |sender: &str| {
        let mut client = SmtpClient::greeted(server.address(0));
        let reply = client.command(&format!("MAIL FROM:<{sender}>"));
        if reply.code == 250 { client.command("RCPT TO:<bob@example.com>") } else { reply }
    };
    // Its last token but one. Bob's mail is put off.
    let put_off = mail("a@client.example").must_be(451);
    assert!(put_off.lines[0].contains("Greylisted"), "{put_off}");
    let before = server.log().len();
    server.write("lists/senders.txt", "other@client.example\n");
    server.told(&["reload"]);
    server.logged_since(before, "sinks=3 carried=2");
    assert_eq!(refused(&server, "other@client.example"), 550, "the file's sink was made anew");
    mail("a@client.example").must_be(451);
    let over = mail("a@client.example").must_be(451);
    assert!(!over.lines[0].contains("Greylisted"), "no token is left: {over}");
    // Other bindings are no other sink.
    let before = server.log().len();
    server.write("sinks.toml", &two_sinks("priority = 5\n"));
    server.told(&["reload"]);
    server.logged_since(before, "sinks=3 carried=3");
    assert!(!mail("a@client.example").must_be(451).lines[0].contains("Greylisted"));
}

#[test]
fn a_broken_manifest_at_the_start_is_told_loudly_and_may_be_mended() {
    let site = site(true).start().stop();
    site.write("sinks.toml", &manifest("two").replace("in.mail", "in.mial"));
    fs::remove_file(site.path("lists/senders.txt")).unwrap();
    let strict = site.cli(&["serve", "--strict"]);
    let told = String::from_utf8_lossy(&strict.stderr);
    assert!(strict.status.code() == Some(1) && told.contains("`in.mial`"), "{told}");
    let server = site.start();
    server.logged("THE MANIFEST IS BROKEN");
    server.logged("`in.mial`");
    assert_eq!(version(&server), "one");
    assert_eq!(refused(&server, "listed@client.example"), 550, "its lists were kept too");
    server.write("lists/senders.txt", "other@client.example\n");
    server.write("sinks.toml", &manifest("two"));
    eventually("the mended manifest", || (version(&server) == "two").then_some(()));
    assert_eq!(refused(&server, "listed@client.example"), 250);
    // From now on this is the last good one.
    let site = server.stop();
    site.write("sinks.toml", "[[[");
    let server = site.start();
    assert_eq!(version(&server), "two");
}
