//! A native sink that answers at once allocates nothing, and neither does an event that nobody hears, nor a command in the steady
//! state but for what it leaves behind. A binary of its own, since the allocator that counts is the whole program's.

#[path = "../benches/stage/mod.rs"]
mod stage;

use allocation_counter::measure;
use bytes::BytesMut;
use mailsluice::event::Decision;
use mailsluice::smtp::{Answer, Profile, Session, Step};
use stage::{World, dispatcher};
use std::sync::Arc;

const RULE: &str = "recipient = ['x@*', '*@example.com']\nnot = { helo = 'a?b*' }";

/// Allocations of a hundred RCPTs, each heard by so many sinks. The ledger keeps its memory from one to the next.
fn allocations(sinks: usize, ledger: bool) -> u64 {
    let dispatcher = dispatcher(sinks, Some(RULE));
    let mut world = World::new();
    let mut raise = || {
        let entries = if ledger { sinks } else { 0 };
        assert_eq!(world.raise(&dispatcher, ledger), (Decision::Proceed, entries));
    };
    // The first call of a thread gets it a place in the watchdog's book, and the first entry the ledger its memory.
    raise();
    measure(|| (0..100).for_each(|_| raise())).count_total
}

#[test]
fn an_event_costs_no_allocation() {
    for sinks in [0, 1, 10] {
        for ledger in [false, true] {
            assert_eq!(allocations(sinks, ledger), 0, "{sinks} sinks, ledger: {ledger}");
        }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(vec![1, 2, 3])).count_total, 1);
}

/// A session that says yes to everything, with the buffers of a connection.
struct Talk {
    session: Session,
    input: BytesMut,
    output: Vec<u8>,
}

impl Talk {
    fn greeted() -> Self {
        let session = Session::new(Arc::new(Profile::new("mx.example.com")));
        let mut talk =
            Self { session, input: BytesMut::with_capacity(16 * 1024), output: Vec::with_capacity(16 * 1024) };
        talk.say("EHLO client.example.org\r\n");
        talk
    }

    /// What the machine and the replies allocate from these octets on.
    fn say(&mut self, octets: &str) -> u64 {
        self.output.clear();
        self.input.reserve(octets.len());
        self.input.extend_from_slice(octets.as_bytes());
        measure(|| self.run()).count_total
    }

    fn run(&mut self) {
        loop {
            match self.session.next(&mut self.input) {
                Step::Read => return,
                Step::Reply(reply) => reply.write(&mut self.output, true),
                Step::Ask(_) => self.session.answer(Answer::Go).unwrap(),
                Step::Body(_) | Step::Drop { .. } => {}
                Step::Wait | Step::StartTls | Step::Turn | Step::Close => {
                    panic!("{}", String::from_utf8_lossy(&self.output))
                }
            }
        }
    }
}

#[test]
fn a_command_allocates_what_it_leaves_behind_and_no_more() {
    let mut talk = Talk::greeted();
    let message = format!("Subject: x\r\n\r\n{}.\r\n", "text\r\n".repeat(500));
    let mut count = |turn: usize| {
        let commands = [
            "NOOP\r\n",
            "RSET\r\n",
            "MAIL FROM:<a@example.org>\r\n",
            "RCPT TO:<b@example.com>\r\n",
            "DATA\r\n",
            &message,
        ];
        let counts = commands.map(|command| talk.say(command));
        assert!(talk.output.starts_with(b"250 "), "turn {turn}");
        counts
    };
    // The first turn gets the buffers their memory.
    (0..3).for_each(|turn| {
        count(turn);
    });
    // An address and the command around it; the state of a message that comes in, and a handle to the octets that are handed out.
    assert_eq!(count(3), [0, 0, 2, 2, 1, 1]);
}
