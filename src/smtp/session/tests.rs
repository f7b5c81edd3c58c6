//! The machine's surface: what the transcripts can't show.

use super::*;
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::TlsOffer;

/// A session past its greeting, with its input.
fn greeted() -> (Session, BytesMut) {
    greeted_by(Profile::new("mx.example.com"))
}

fn greeted_by(profile: Profile) -> (Session, BytesMut) {
    let mut session = Session::new(Arc::new(profile));
    let mut input = BytesMut::new();
    assert_eq!(session.next(&mut input), Step::Ask(Question::Connect));
    session.answer(Answer::Go).unwrap();
    assert!(matches!(session.next(&mut input), Step::Reply(r) if r.code() == 220));
    (session, input)
}

/// Runs with `Go` for an answer until the machine wants input, and returns the codes of its replies.
fn run(session: &mut Session, input: &mut BytesMut, octets: &[u8]) -> Vec<u16> {
    input.extend_from_slice(octets);
    let mut codes = Vec::new();
    loop {
        match session.next(input) {
            Step::Read | Step::Close | Step::StartTls | Step::Turn => return codes,
            Step::Reply(reply) => codes.push(reply.code()),
            Step::Ask(_) => session.answer(Answer::Go).unwrap(),
            Step::Body(_) | Step::Drop { .. } => {}
            Step::Wait => panic!("every question was answered"),
        }
    }
}

const REFUSAL: Reply = Reply::new(550, EnhancedCode(5, 7, 1), "No");

#[test]
fn waiting_takes_no_input_and_only_fitting_answers() {
    let (mut session, mut input) = greeted();
    assert_eq!(session.answer(Answer::Go), Err(Misuse::NotAsked));
    input.extend_from_slice(b"EHLO a\r\nNOOP\r\n");
    assert!(matches!(session.next(&mut input), Step::Ask(Question::Helo(_))));
    let before = input.clone();
    for _ in 0..3 {
        assert_eq!(session.next(&mut input), Step::Wait);
        assert_eq!(input, before);
    }
    for unfit in [Answer::Each(vec![]), Answer::Limit(1), Answer::Say(REFUSAL), Answer::Refuse(replies::NOOP)] {
        assert_eq!(session.answer(unfit), Err(Misuse::Unfit));
    }
    session.answer(Answer::Refuse(REFUSAL)).unwrap();
    assert_eq!(session.next(&mut input), Step::Reply(REFUSAL));
    assert!(matches!(session.next(&mut input), Step::Ask(Question::Command(_))));
}

#[test]
fn a_question_is_answered_only_once_it_was_fetched() {
    let (mut session, mut input) = greeted();
    run(&mut session, &mut input, b"EHLO a\r\n");
    session.close(replies::BYE);
    assert_eq!(session.answer(Answer::Go), Err(Misuse::NotAsked));
}

#[test]
fn nothing_follows_close() {
    let (mut session, mut input) = greeted();
    assert_eq!(run(&mut session, &mut input, b"QUIT\r\nNOOP\r\n"), [221]);
    assert!(run(&mut session, &mut input, b"NOOP\r\n").is_empty());
    session.close(REFUSAL);
    assert_eq!(session.next(&mut input), Step::Close);
}

#[test]
fn too_early_is_turned_away_instead_of_greeted() {
    let mut session = Session::new(Arc::new(Profile::new("mx.example.com")));
    let mut input = BytesMut::from(&b"EHLO a\r\n"[..]);
    session.next(&mut input);
    session.too_early();
    assert_eq!(session.next(&mut input), Step::Reply(replies::TOO_EARLY));
    assert_eq!(session.next(&mut input), Step::Close);
}

#[test]
fn extensions_change_at_hello_and_limits_at_mail() {
    let (mut session, mut input) = greeted();
    run(&mut session, &mut input, b"EHLO a\r\n");
    let mut other = Profile::new("mx.example.com");
    other.extensions.claim_mail("XFOO").unwrap();
    other.limits.message_size = 1;
    session.set_profile(Arc::new(other));
    assert_eq!(run(&mut session, &mut input, b"MAIL FROM:<> XFOO\r\n"), [555]);
    assert_eq!(run(&mut session, &mut input, b"MAIL FROM:<> SIZE=2\r\n"), [552]);
    assert_eq!(run(&mut session, &mut input, b"EHLO a\r\nMAIL FROM:<> XFOO\r\n"), [250, 250]);
}

#[test]
fn a_million_chunks_leave_nothing_behind() {
    let (mut session, mut input) = greeted();
    run(&mut session, &mut input, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 2\r\n\r\n");
    let state = format!("{session:?}").len();
    for _ in 0..1_000_000 {
        assert_eq!(run(&mut session, &mut input, b"BDAT 1\r\nx"), [250]);
    }
    // One more digit or two in the count of octets, and nothing else.
    assert!(format!("{session:?}").len() < state + 10);
    assert!(input.is_empty() && input.capacity() < 4096);
    assert_eq!(run(&mut session, &mut input, b"BDAT 0 LAST\r\nQUIT\r\n"), [250, 221]);
}

#[test]
fn a_refused_chunk_is_swallowed_in_bounded_memory() {
    let (mut session, mut input) = greeted();
    run(&mut session, &mut input, b"EHLO a\r\nBDAT 1000000\r\n");
    for _ in 0..1000 {
        input.extend_from_slice(&[b'x'; 1000]);
        let step = session.next(&mut input);
        assert!(input.is_empty());
        assert!(matches!(step, Step::Read | Step::Reply(_)));
    }
    assert_eq!(run(&mut session, &mut input, b"NOOP\r\n"), [250]);
}

#[test]
fn each_recipient_has_its_reply_in_order_whatever_the_driver_gives() {
    for (given, expected) in [
        (vec![250, 550], vec![250, 550, 451]),
        (vec![], vec![451, 451, 451]),
        (vec![550, 250, 250, 250], vec![550, 250, 250]),
    ] {
        let mut profile = Profile::new("mx.example.com");
        profile.lmtp = true;
        let mut session = Session::new(Arc::new(profile));
        let mut input = BytesMut::new();
        let group = b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n";
        run(&mut session, &mut input, group);
        input.extend_from_slice(b".\r\n");
        assert_eq!(session.next(&mut input), Step::Ask(Question::Headers { len: 0 }));
        session.answer(Answer::Go).unwrap();
        assert_eq!(session.next(&mut input), Step::Ask(Question::Message { len: 0 }));
        let each = given.into_iter().map(|code| Reply::foreign(code, None, "x")).collect();
        session.answer(Answer::Each(each)).unwrap();
        assert_eq!(run(&mut session, &mut input, b""), expected);
    }
}

#[test]
fn replies_after_drop_are_counted() {
    let (mut session, mut input) = greeted();
    run(&mut session, &mut input, b"EHLO a\r\nMAIL FROM:<>\r\n");
    input.extend_from_slice(b"RSET\r\n");
    assert!(matches!(session.next(&mut input), Step::Ask(Question::Command(_))));
    session.answer(Answer::Refuse(REFUSAL)).unwrap();
    assert_eq!(session.next(&mut input), Step::Drop { replies: 1 });
    assert_eq!(session.next(&mut input), Step::Reply(replies::RESET));
    assert_eq!(session.next(&mut input), Step::Read);
}

#[test]
fn a_size_is_asked_once_and_its_answer_is_no_answer_to_mail() {
    let mut profile = Profile::new("mx.example.com");
    profile.limits.message_size = 10;
    let mut session = Session::new(Arc::new(profile));
    let mut input = BytesMut::new();
    run(&mut session, &mut input, b"EHLO a\r\n");
    input.extend_from_slice(b"MAIL FROM:<> SIZE=12\r\n");
    assert!(matches!(session.next(&mut input), Step::Ask(Question::Oversize { size: 12, declared: Some(_) })));
    session.answer(Answer::Limit(12)).unwrap();
    assert_eq!(session.answer(Answer::Go), Err(Misuse::NotAsked));
    assert!(matches!(session.next(&mut input), Step::Ask(Question::Mail(_))));
    session.answer(Answer::Go).unwrap();
    run(&mut session, &mut input, b"RCPT TO:<a@b>\r\nDATA\r\n");
    input.extend_from_slice(b"\r\n23456789012\r\n.\r\n");
    let mut asked = Vec::new();
    loop {
        match session.next(&mut input) {
            Step::Ask(question) => {
                asked.push(question);
                session.answer(Answer::Go).unwrap();
            }
            Step::Reply(reply) => {
                assert_eq!(reply, replies::TOO_BIG);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(asked, [Question::Headers { len: 0 }]);
}

fn with_tls() -> Profile {
    Profile { tls: TlsOffer::Offered, ..Profile::new("mx.example.com") }
}

/// RFC 3207 4.2; CVE-2011-0411.
#[test]
fn what_comes_behind_starttls_is_never_executed() {
    let (mut session, mut input) = greeted_by(with_tls());
    run(&mut session, &mut input, b"EHLO a\r\n");
    assert_eq!(run(&mut session, &mut input, b"STARTTLS\r\nMAIL FROM:<a@b>\r\n"), [503]);
    assert_eq!(session.next(&mut input), Step::Close, "and it is over");
    // Octets that come while the answer is awaited count, too.
    let (mut session, mut input) = greeted_by(with_tls());
    run(&mut session, &mut input, b"EHLO a\r\n");
    input.extend_from_slice(b"STARTTLS\r\n");
    assert_eq!(session.next(&mut input), Step::Ask(Question::StartTls));
    input.extend_from_slice(b"R");
    session.answer(Answer::Go).unwrap();
    assert_eq!(run(&mut session, &mut input, b""), [503]);
}

#[test]
fn no_input_is_taken_before_the_handshake_is_done() {
    let (mut session, mut input) = greeted_by(with_tls());
    session.secured();
    run(&mut session, &mut input, b"EHLO a\r\n");
    assert_eq!(run(&mut session, &mut input, b"STARTTLS\r\n"), [220]);
    input.extend_from_slice(b"QUIT\r\n");
    assert_eq!((session.next(&mut input), input.len()), (Step::Wait, 6));
    assert_eq!(session.answer(Answer::Go), Err(Misuse::NotAsked));
    session.secured();
    session.secured();
    assert_eq!((session.next(&mut input), input.len()), (Step::Ask(Question::Tls), 6));
    session.answer(Answer::Go).unwrap();
    assert_eq!(run(&mut session, &mut input, b""), [221]);
}

#[test]
fn over_tls_from_the_start_the_greeting_waits_for_both_answers() {
    let mut session = Session::new_secured(Arc::new(with_tls()));
    let mut input = BytesMut::new();
    assert_eq!(session.next(&mut input), Step::Ask(Question::Connect));
    session.answer(Answer::Go).unwrap();
    assert_eq!(session.next(&mut input), Step::Ask(Question::Tls));
    session.answer(Answer::Refuse(REFUSAL)).unwrap();
    assert_eq!(session.next(&mut input), Step::Reply(REFUSAL));
    assert_eq!(run(&mut session, &mut input, b"EHLO a\r\nQUIT\r\n"), [503, 221]);
}

/// RFC 2645 5: the client says nothing before it has been told that the roles are swapped.
#[test]
fn roles_are_swapped_only_where_nothing_follows() {
    for (behind, codes, last) in [(&b""[..], [250], Step::Turn), (b"220 evil\r\n", [503], Step::Close)] {
        let mut profile = Profile::new("mx.example.com");
        profile.extensions.claim_verb("ATRN").unwrap();
        let (mut session, mut input) = greeted_by(profile);
        run(&mut session, &mut input, b"EHLO a\r\n");
        input.extend_from_slice(b"ATRN\r\n");
        input.extend_from_slice(behind);
        assert!(matches!(session.next(&mut input), Step::Ask(Question::Command(_))));
        session.answer(Answer::Turn(replies::NOOP)).unwrap();
        assert!(matches!(session.next(&mut input), Step::Reply(reply) if [reply.code()] == codes));
        assert_eq!(session.next(&mut input), last);
        assert_eq!(session.next(&mut input), Step::Close);
    }
}

#[test]
fn a_claimed_verb_gets_no_more_than_it_may_have() {
    let mut profile = Profile::new("mx.example.com");
    profile.extensions.claim_verb("XBLOB").unwrap();
    let (mut session, mut input) = greeted_by(profile);
    for (count, code) in [(1_u64 << 20, 354), ((1 << 20) + 1, 552)] {
        input.extend_from_slice(b"XBLOB\r\n");
        assert!(matches!(session.next(&mut input), Step::Ask(Question::Command(_))));
        let reply = Reply::plain(354, "go");
        session.answer(Answer::More { reply, want: Want::Octets { count } }).unwrap();
        assert!(matches!(session.next(&mut input), Step::Reply(reply) if reply.code() == code));
        assert_eq!(session.next(&mut input), Step::Read);
        if code == 354 {
            assert_eq!(run(&mut session, &mut input, &vec![b'\n'; 1 << 20]), [502], "nobody answered");
        }
    }
}

#[test]
fn restarted_it_stands_as_after_connecting() {
    let mut profile = with_tls();
    profile.extensions.speak_xclient();
    profile.auth.required = true;
    let (mut session, mut input) = greeted_by(profile);
    run(&mut session, &mut input, b"EHLO a\r\n");
    for (authenticated, codes) in [(true, [503, 250, 250]), (false, [530, 250, 530])] {
        input.extend_from_slice(b"XCLIENT ADDR=192.0.2.1\r\n");
        assert!(matches!(session.next(&mut input), Step::Ask(Question::Command(_))));
        session.answer(Answer::Restart { greeting: Reply::plain(220, "again"), authenticated }).unwrap();
        assert_eq!(run(&mut session, &mut input, b""), [220]);
        assert_eq!(run(&mut session, &mut input, b"MAIL FROM:<a@b>\r\nEHLO a\r\nMAIL FROM:<a@b>\r\n"), codes);
        run(&mut session, &mut input, b"RSET\r\n");
    }
}
