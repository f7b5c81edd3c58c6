//! VRFY, EXPN and HELP: by listener, answered from the directory, and heard by sinks.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::{Reply, SmtpClient};

/// Two listeners, of which the second answers differently, and some lists.
fn server(smtp: &str, second: &str, manifest: &str) -> Inside {
    let folder = tempfile::tempdir().unwrap();
    let aliases = folder.path().join("aliases");
    std::fs::write(&aliases, "staff: alice, bob, far@elsewhere.example\nquiet: /dev/null\nall: staff\n").unwrap();
    let config = Site::PLAIN
        .replace("[domains]", &format!("[[listener]]\naddress = \"127.0.0.2:0\"\n{second}\n[smtp]\n{smtp}\n[domains]"))
        .replace("[recipients]", &format!("[recipients]\naliases = '{}'", aliases.display()));
    let server = Plan::new(&config).manifest(manifest).start();
    drop(folder);
    server
}

fn say(server: &Inside, listener: usize, line: &str) -> Reply {
    SmtpClient::greeted(server.address(listener)).command(line)
}

#[test]
fn a_listener_may_answer_otherwise_than_the_others() {
    let server = server("vrfy = true\nexpn = true", "vrfy = false\nexpn = false\nhelp = false", "");
    say(&server, 0, "VRFY alice").must_be(250);
    say(&server, 1, "VRFY alice").must_be(252);
    say(&server, 0, "EXPN staff").must_be(250);
    say(&server, 1, "EXPN staff").must_be(502);
    assert!(say(&server, 0, "HELP").must_be(214).lines.iter().any(|line| line.contains("EXPN")));
    say(&server, 1, "HELP").must_be(502);
    let offered = say(&server, 1, "EHLO x").lines.join(" ");
    assert!(!["VRFY", "EXPN", "HELP"].iter().any(|verb| offered.contains(verb)), "{offered}");
}

#[test]
fn expn_tells_the_members_of_a_list() {
    let server = server("expn = true", "", "");
    let told = say(&server, 0, "EXPN <staff@example.com>").must_be(250);
    assert_eq!(told.lines, ["2.1.5 <alice@example.com>", "2.1.5 <bob@example.com>", "2.1.5 <far@elsewhere.example>"]);
    assert_eq!(say(&server, 0, "EXPN all").must_be(250).lines, ["2.1.5 <staff@example.com>"]);
    say(&server, 0, "EXPN alice").must_be(550);
    say(&server, 0, "EXPN nobody").must_be(550);
    say(&server, 0, "EXPN quiet").must_be(252);
    say(&server, 0, "EXPN staff@elsewhere.example").must_be(252);
}

#[test]
fn each_is_heard_and_may_be_refused() {
    let refuse = "[[sink]]\nname = \"p\"\nnative = \"policy\"\n[[sink.config.rule]]\nevent = 'in.command'\n\
        when = { verb = ['VRFY', 'EXPN', 'HELP'] }\nreject = 'Not today'\n";
    let server = server("vrfy = true\nexpn = true", "", refuse);
    for line in ["VRFY alice", "EXPN staff", "HELP"] {
        assert!(say(&server, 0, line).must_be(550).lines[0].contains("Not today"), "{line}");
    }
}
