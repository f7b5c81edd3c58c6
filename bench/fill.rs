//! Adds messages to a spool, for `bench/million.py`: `fill FOLDER MESSAGES OCTETS DESTINATIONS DUE`. They are due at DUE, in milliseconds
//! since 1970, and each is for the next of so many destinations; a
//! single one is relay.example.

use bytes::Bytes;
use mailsluice::mail::{Content, Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use mailsluice::spool::{Entry, NodeId, Options, Record, SegmentLog, Spool};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Messages of one commit.
const BATCH: u64 = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match fill().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fill: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn fill() -> Result<(), String> {
    let usage = "fill FOLDER MESSAGES OCTETS DESTINATIONS DUE";
    let [folder, numbers @ ..] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else { return Err(usage.into()) };
    let numbers: Result<Vec<u64>, _> = numbers.iter().map(|number| number.parse()).collect();
    let [messages, octets, destinations, due] =
        numbers.map_err(|e| format!("{usage}: {e}"))?.try_into().map_err(|_| usage)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_millis() as u64;
    let spool = SegmentLog::open(&PathBuf::from(folder), Options::default()).map_err(|e| e.to_string())?;
    let fence = spool.claim(NodeId(0)).await.map_err(|e| e.to_string())?.fence;
    let content = Bytes::from([&b"Subject: later\r\n\r\n"[..], &vec![b'x'; octets as usize]].concat());
    for first in (0..messages).step_by(BATCH as usize) {
        let below = |n| if destinations == 1 { String::new() } else { format!("d{}.", n % destinations) };
        let one = |n| message(n, &below(n), (now, Timestamp(due)), &content);
        let batch = (first..messages.min(first + BATCH)).map(one).collect();
        spool.commit(fence, batch).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn message(n: u64, below: &str, (now, due): (u64, Timestamp), content: &Bytes) -> Record {
    let path = |text: String| ForwardPath::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut envelope = Envelope::new(ReversePath::parse("bench@client.example").unwrap_or(ReversePath::Null));
    let to = path(format!("user{n}@{below}relay.example"));
    envelope.recipients.push(Recipient::new(to, Standing::Relay));
    // Ids of the past, as time gives them.
    let id = Id(((now - 60 * 60 * 1000) << 20) + n);
    let mut entry = Entry::new(id, Timestamp(now), Origin::door(Door::Smtp), envelope, 16, content.len() as u64);
    entry.recipients.iter_mut().for_each(|state| state.next = due);
    Record::Accept(Box::new(entry), Content::from(content.clone()))
}
