//! The client's side: a process with a user's tickets that makes and reads tokens, and a session that says what the test wants.
//!
//! The process is this test binary again, since where tickets are is told by the environment, which a test can't change for itself.

use super::Realm;
use crate::server::Server;
use crate::smtp_client::SmtpClient;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_HOSTBASED_SERVICE};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set in the process that makes tokens.
const MARK: &str = "MAILSLUICE_GSSAPI_INITIATOR";
/// What stands before its answers, among what the test runner says.
const ANSWER: &str = "answer:";

#[test]
#[ignore = "the client's process of the other tests here, which start it"]
fn initiator() {
    assert!(std::env::var_os(MARK).is_some(), "the other tests start this one");
    let server = Name::new(b"smtp@localhost", Some(GSS_NT_HOSTBASED_SERVICE)).unwrap();
    let flags = CtxFlags::GSS_C_MUTUAL_FLAG | CtxFlags::GSS_C_INTEG_FLAG;
    let mut context = ClientCtx::new(None, server, flags, Some(GSS_MECH_KRB5));
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (verb, octets) = line.split_once(' ').unwrap();
        let octets = STANDARD.decode(octets).unwrap();
        let answer = match verb {
            "token" => {
                let last = if octets.is_empty() { None } else { Some(&octets[..]) };
                context.step(last, None).unwrap().map(|token| token.to_vec()).unwrap_or_default()
            }
            "wrap" => context.wrap(false, &octets).unwrap().to_vec(),
            "unwrap" => context.unwrap(&octets).unwrap().to_vec(),
            other => panic!("{other}"),
        };
        println!("\n{ANSWER}{}", STANDARD.encode(answer));
    }
}

/// That process, for one exchange.
pub(super) struct Initiator {
    process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Initiator {
    /// With the tickets of a user.
    pub(super) fn of(realm: &Realm, user: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "gssapi::client::initiator", "--ignored", "--nocapture"]);
        command.envs(realm.environment()).env("KRB5CCNAME", realm.tickets_of(user)).env(MARK, "1");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, questions, answers }
    }

    fn ask(&mut self, verb: &str, octets: &[u8]) -> Vec<u8> {
        writeln!(self.questions, "{verb} {}", STANDARD.encode(octets)).unwrap();
        let mut lines = self.answers.by_ref().map(|line| line.unwrap());
        let answer = lines.find_map(|line| line.strip_prefix(ANSWER).map(str::to_owned));
        STANDARD.decode(answer.expect("the client's process has failed; see above")).unwrap()
    }

    /// The first token.
    pub(super) fn ticket(&mut self) -> Vec<u8> {
        self.ask("token", b"")
    }

    /// The whole exchange in a session in which the command is said, with this choice in answer to the offer: the last reply's code.
    pub(super) fn exchange(mut self, client: &mut SmtpClient, command: &str, choice: &[u8]) -> u16 {
        let ticket = self.ticket();
        let mut reply = client.command(&format!("{command} {}", STANDARD.encode(ticket)));
        if reply.code != 334 {
            return reply.code;
        }
        assert_eq!(self.ask("token", &challenge(&reply.lines)), b"", "Kerberos needs no token more");
        reply = client.command("").must_be(334);
        assert_eq!(self.ask("unwrap", &challenge(&reply.lines)), [1, 0, 0, 0], "no security layer, and no size of one");
        let choice = self.ask("wrap", choice);
        client.command(&STANDARD.encode(choice)).code
    }
}

impl Drop for Initiator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn challenge(lines: &[String]) -> Vec<u8> {
    STANDARD.decode(&lines[0]).unwrap()
}

/// A session at which EHLO was said.
pub(super) fn session(server: &Server) -> SmtpClient {
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("EHLO client.example").must_be(250);
    client
}

/// A user's login with this choice: the last reply's code.
pub(super) fn login(realm: &Realm, server: &Server, user: &str, choice: &[u8]) -> u16 {
    Initiator::of(realm, user).exchange(&mut session(server), "AUTH GSSAPI", choice)
}
