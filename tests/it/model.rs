//! The machine and its naive model under random commands, in random packets.

use crate::reference::session::{
    AUTHS, Act, BAD_MAILS, BAD_RCPTS, FIXED, GOOD_MAIL, GOOD_RCPT, HELLOS, Kind, TAILS, agree,
};
use proptest::prelude::*;
use proptest::sample::select;

fn act() -> impl Strategy<Value = Act> {
    let octets = || {
        let word = select(vec!["a", ".", "\r\n", "\r\n", "bcd", "\r\n.\r\n", "é", "\r", "\n", "\0", "xxxxxxxxxxx"]);
        // Defects are to be seldom, or few messages are accepted.
        let clean = select(vec!["a", ".", "\r\n", "bcd", "..", "\r\n.", "e: f\r\n"]);
        let join = |words: Vec<&str>| words.concat().into_bytes();
        prop_oneof![
            1 => prop::collection::vec(word, 0..6).prop_map(join),
            4 => prop::collection::vec(clean, 0..6).prop_map(join),
        ]
    };
    prop_oneof![
        3 => select(&HELLOS[..]).prop_map(Act::Hello),
        1 => Just(Act::BadHello),
        6 => Just(Act::Mail(GOOD_MAIL)),
        1 => select(&BAD_MAILS[..]).prop_map(Act::Mail),
        8 => Just(Act::Rcpt(GOOD_RCPT)),
        2 => select(&BAD_RCPTS[..]).prop_map(Act::Rcpt),
        5 => octets().prop_map(Act::Data),
        6 => (octets(), prop_oneof![4 => select(&TAILS[..2]), 1 => Just(TAILS[2])]).prop_map(|(o, t)| Act::Bdat(o, t)),
        1 => Just(Act::Rset),
        1 => Just(Act::Quit),
        2 => Just(Act::StartTls),
        3 => select(&AUTHS[..]).prop_map(|(argument, response)| Act::Auth(argument, response)),
        2 => select(&FIXED[..]).prop_map(|(line, code)| Act::Fixed(line, code)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn machine_and_model_agree(
        kind in 0..18u8,
        acts in prop::collection::vec(act(), 0..30),
        packets in prop::collection::vec(1..40usize, 1..20),
    ) {
        // Most sessions begin well.
        agree(Kind::numbered(kind), packets.len() % 4 != 0, &acts, &packets);
    }
}
