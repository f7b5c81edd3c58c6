//! Fills a spool with messages that are due much later, for `bench/million.py`: `fill FOLDER MESSAGES OCTETS`.

use bytes::Bytes;
use mailsluice::mail::{Content, Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use mailsluice::spool::{Entry, NodeId, Options, Record, SegmentLog, Spool};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Messages of one commit.
const BATCH: u64 = 1000;
/// When they are due: in a day.
const LATER: u64 = 24 * 60 * 60 * 1000;

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
    let [folder, messages, octets] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "fill FOLDER MESSAGES OCTETS")?;
    let messages: u64 = messages.parse().map_err(|e| format!("MESSAGES: {e}"))?;
    let octets: usize = octets.parse().map_err(|e| format!("OCTETS: {e}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_millis() as u64;
    let spool = SegmentLog::open(&PathBuf::from(folder), Options::default()).map_err(|e| e.to_string())?;
    let fence = spool.claim(NodeId(0)).await.map_err(|e| e.to_string())?.fence;
    let content = Bytes::from([&b"Subject: later\r\n\r\n"[..], &vec![b'x'; octets]].concat());
    for first in (0..messages).step_by(BATCH as usize) {
        let batch = (first..messages.min(first + BATCH)).map(|n| message(n, now, &content)).collect();
        spool.commit(fence, batch).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn message(n: u64, now: u64, content: &Bytes) -> Record {
    let path = |text: String| ForwardPath::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut envelope = Envelope::new(ReversePath::parse("bench@client.example").unwrap_or(ReversePath::Null));
    envelope.recipients.push(Recipient::new(path(format!("user{n}@domain{}.example", n % 100_000)), Standing::Relay));
    // Ids of the past, as time gives them.
    let id = Id(((now - 60 * 60 * 1000) << 20) + n);
    let mut entry = Entry::new(id, Timestamp(now), Origin::door(Door::Smtp), envelope, 16, content.len() as u64);
    entry.recipients.iter_mut().for_each(|state| state.next = Timestamp(now + LATER));
    Record::Accept(Box::new(entry), Content::from(content.clone()))
}
