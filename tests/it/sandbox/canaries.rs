//! Canaries: messages with random marks through sinks that try to remember them. No mark of one message may be in another's
//! output, properties or log line; and where an operator has allowed instances to be used again, the same look finds them.
//!
//! `MAILSLUICE_CANARIES` says how many messages go through the module; ten thousand if it is not set.

use super::alone::{sandbox, sink, terms};
use crate::seam::{World, at_submit};
use mailsluice::config::Secrets;
use mailsluice::event::host::{Journal, Line, SinkLog};
use mailsluice::event::{Decision, Dispatcher, Registered, Reuse};
use mailsluice::mail::Message;
use mailsluice::wasm::Terms;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;

/// Hexadecimal digits of a mark.
const MARK: usize = 32;

const SCRIPT: &str = "
let seen = globalThis.seen ?? '';
export function onArrival(message, ctx) {
  const mark = message.header('X-Mark');
  message.setHeader('X-Found', seen + ' ' + (globalThis.kept ?? ''));
  message.setProperty('earlier', seen);
  console.log(mark + ' and before it ' + seen);
  globalThis.kept = seen = mark;
}";

fn canaries() -> usize {
    std::env::var("MAILSLUICE_CANARIES").map_or(10_000, |n| n.parse().expect("MAILSLUICE_CANARIES: a number"))
}

/// Terms with this way of reuse, and the lines that the sink logs.
fn watched(reuse: Reuse) -> (Terms, Receiver<Line>) {
    let journal = Journal::default();
    let lines = journal.follow();
    (Terms { reuse, log: Arc::new(SinkLog::new("guest", journal, Secrets::default())), ..terms() }, lines)
}

/// A mark that nobody guesses.
fn mark(number: u64) -> String {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number);
    blake3::hash(&[random.to_le_bytes(), number.to_le_bytes()].concat()).to_hex()[..MARK].to_owned()
}

/// Marks of other messages in this text.
fn foreign<'a>(text: &'a str, own: &str, marks: &HashSet<String>) -> Option<&'a str> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() >= MARK);
    let mut pieces = words.flat_map(|word| (0..=word.len() - MARK).map(move |at| &word[at..at + MARK]));
    pieces.find(|piece| *piece != own && marks.contains(*piece))
}

/// Sends so many messages through the sink; how many told of another.
async fn leaks(sink: Arc<Registered>, mut lines: Receiver<Line>, count: usize) -> usize {
    let dispatcher = Dispatcher::new(vec![at_submit(&sink)]);
    let (mut world, mut marks, mut leaks) = (World::default(), HashSet::new(), 0);
    for n in 0..count {
        let own = mark(n as u64);
        marks.insert(own.clone());
        world.next_message();
        let content = format!("Subject: {own}\r\nX-Mark: {own}\r\n\r\n{}\r\n", own.repeat(20));
        world.transaction.letter_mut().message = Some(Message::from_bytes(content.into()));
        assert_eq!(world.submit(&dispatcher).await, Decision::Proceed, "{:?}", world.last());
        let mut told = format!("{} {:?}", world.header(), world.transaction.letter.properties);
        assert!(told.contains("X-Found"), "the guest has looked: {told}");
        while let Ok(line) = lines.try_recv() {
            // A line belongs to the message whose mark comes first.
            assert!(line.text.contains("left out") || line.text.starts_with(&own), "{}", line.text);
            told.push_str(&line.text);
        }
        leaks += usize::from(foreign(&told, &own, &marks).is_some());
    }
    leaks
}

#[tokio::test]
async fn nothing_of_one_message_is_found_in_another() {
    let (terms, lines) = watched(Reuse::Call);
    assert_eq!(leaks(sink("remembers", terms), lines, canaries()).await, 0);
}

#[tokio::test]
async fn instances_of_one_transaction_see_nothing_of_another() {
    let (terms, lines) = watched(Reuse::Transaction);
    assert_eq!(leaks(sink("remembers", terms), lines, canaries() / 10).await, 0);
}

#[tokio::test]
async fn what_instances_of_a_pool_remember_is_found() {
    let (terms, lines) = watched(Reuse::Pool);
    assert_eq!(leaks(sink("remembers", terms), lines, 100).await, 99);
}

fn script(terms: Terms) -> Arc<Registered> {
    let reader = Box::new(|_: &std::path::Path| Ok(SCRIPT.as_bytes().to_vec()));
    let loaded = sandbox().script("remembers.js", reader, terms);
    let sink = loaded.unwrap_or_else(|why| panic!("{}", why[0]));
    Arc::new(Registered::new("guest", Arc::new(sink), false))
}

#[tokio::test]
async fn scripts_find_nothing_either() {
    let (terms, lines) = watched(Reuse::Call);
    assert_eq!(leaks(script(terms), lines, canaries() / 20).await, 0);
    let (terms, lines) = watched(Reuse::Pool);
    assert_eq!(leaks(script(terms), lines, 100).await, 99);
}
