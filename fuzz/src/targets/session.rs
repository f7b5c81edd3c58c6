//! A whole session. Either of acts, which the naive model answers as well; or of any octets, which are answered the same
//! in whatever packets they come.
//!
//! The first octet says which: `a` and `A` are acts (in LMTP), those above 127 acts with a server of another kind, `r` and `R` octets. The second one says the packets. Of an
//! act the first octet says which it is; where octets belong to it, their number and they follow.

use super::input::{Input, packets};
use super::reply::is_line;
use crate::reference::memory::Memory;
use crate::reference::session::{
    AUTHS, Act, BAD_MAILS, BAD_RCPTS, FIXED, GOOD_MAIL, GOOD_RCPT, HELLOS, Kind, TAILS, agree, send_all,
};
use mailsluice::cli::dialogue::{Accepted, Driver, Heard, Setup};

/// More would only make the input slower.
const ACTS_MAX: usize = 60;

pub(super) fn session(data: &[u8]) {
    let mut input = Input(data);
    let (mode, packets) = (input.octet(), packets(input.octet()));
    match mode {
        b'a' | b'A' => acts(Kind { lmtp: mode == b'A', ..Kind::default() }, input, &packets),
        128.. => acts(Kind::numbered(mode), input, &packets),
        _ => octets(mode == b'R', input.0, &packets),
    }
}

fn acts(kind: Kind, mut input: Input<'_>, packets: &[usize]) {
    let mut acts = Vec::new();
    while !input.is_empty() && acts.len() < ACTS_MAX {
        acts.push(act(&mut input));
    }
    let hello = acts.len() % 8 != 0;
    agree(kind, hello, &acts, packets);
    agree(kind, hello, &acts, &[1]);
    agree(kind, hello, &acts, &[usize::MAX]);
}

fn act(input: &mut Input<'_>) -> Act {
    let octet = input.octet();
    let which = usize::from(octet >> 4);
    let octets = |input: &mut Input<'_>| {
        let len = usize::from(input.octet()) % 48;
        input.take(len).to_vec()
    };
    match octet & 15 {
        0 => Act::Hello(HELLOS[which % HELLOS.len()]),
        1 if which < 4 => Act::BadHello,
        1 if which < 8 => Act::StartTls,
        1 => {
            let (argument, response) = AUTHS[usize::from(input.octet()) % AUTHS.len()];
            Act::Auth(argument, response)
        }
        2..=4 => Act::Mail(GOOD_MAIL),
        5 => Act::Mail(BAD_MAILS[which % BAD_MAILS.len()]),
        6..=8 => Act::Rcpt(GOOD_RCPT),
        9 => Act::Rcpt(BAD_RCPTS[which % BAD_RCPTS.len()]),
        10 => Act::Data(octets(input)),
        11 | 12 => Act::Bdat(octets(input), TAILS[which % TAILS.len()]),
        13 => Act::Rset,
        14 => Act::Quit,
        _ => {
            let (line, code) = FIXED[which % FIXED.len()];
            Act::Fixed(line, code)
        }
    }
}

fn octets(lmtp: bool, octets: &[u8], packets: &[usize]) {
    let whole = said(lmtp, octets, &[usize::MAX]);
    assert_eq!(said(lmtp, octets, packets), whole, "in packets of {packets:?}");
    assert_eq!(said(lmtp, octets, &[1]), whole, "octet by octet");
    for message in &whole.1 {
        assert!(message.envelope.len() > 1, "nobody was to have it");
        assert!(crate::reference::session::defect(&message.octets).is_none(), "{}", message.octets.escape_ascii());
    }
}

/// All that the server says, and what it accepts.
fn said(lmtp: bool, octets: &[u8], packets: &[usize]) -> (Vec<Heard>, Vec<Accepted>) {
    let mut setup = Setup { lmtp, ..Setup::default() };
    setup.limits.message_size = 200;
    setup.limits.header_size = 100;
    setup.limits.hops = 2;
    setup.limits.line = 128;
    setup.limits.recipients = 3;
    setup.sinks = ["claim verb XVERB", "claim mail XFOO", "claim rcpt XFOO", "answer XVERB say 250 Done"]
        .map(str::to_owned)
        .to_vec();
    let mut memory = Memory::new(&setup);
    send_all(&mut memory, octets, packets);
    let mut heard = Vec::new();
    loop {
        match memory.hear() {
            Heard::Line(line) => {
                is_line(&line);
                heard.push(Heard::Line(line));
            }
            end => {
                heard.push(end);
                return (heard, memory.accepted().ok().flatten().unwrap_or_default());
            }
        }
    }
}
