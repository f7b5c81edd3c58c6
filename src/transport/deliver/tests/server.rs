//! A server of few words that can be told to misbehave at one step.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// What a server does at a step instead of saying yes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quirk {
    /// Says this.
    Say(&'static str),
    Close,
    Hang,
}

/// `GREETING`, a verb, `DOT`, or `LAST` for the last chunk of BDAT, and behind a verb or `DOT` a 2 for its second time alone; and what happens there.
pub(super) type Plan = Vec<(&'static str, Quirk)>;

/// Every line that the server has got, content included.
pub(super) type Seen = Arc<Mutex<Vec<String>>>;

/// Serves one connection.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, plan: Plan, seen: Seen) {
    // An error means that the client has gone, which some tests are about.
    let _ = dialogue(stream, plan, seen, true).await;
}

/// Serves a connection that has been put under TLS: no greeting comes there.
pub(super) async fn go_on<S: AsyncRead + AsyncWrite + Unpin>(stream: S, plan: Plan, seen: Seen) {
    let _ = dialogue(stream, plan, seen, false).await;
}

async fn dialogue<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    plan: Plan,
    seen: Seen,
    greets: bool,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut content = false;
    let mut step = if greets { "GREETING".to_owned() } else { next_step(&mut stream, false, &seen).await? };
    let mut times = std::collections::HashMap::<String, u32>::new();
    loop {
        let time = times.entry(step.clone()).or_default();
        *time += 1;
        let now = format!("{step}{time}");
        let quirk = plan.iter().find(|(at, _)| *at == step || *at == now).map(|(_, quirk)| *quirk);
        let reply = match quirk {
            Some(Quirk::Close) => return Ok(()),
            Some(Quirk::Hang) => std::future::pending().await,
            Some(Quirk::Say(reply)) => reply,
            None => usual(&step),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        match step.as_str() {
            "QUIT" => return Ok(()),
            "DATA" => content = reply.starts_with("354"),
            _ => {}
        }
        step = next_step(&mut stream, content, &seen).await?;
        content = false;
    }
}

fn usual(step: &str) -> &'static str {
    match step {
        "GREETING" => "220 fake.example",
        "EHLO" | "LHLO" => "250-fake.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250 DSN",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "250 2.0.0 ok",
    }
}

/// Reads a command, or the content up to its dot.
async fn next_step<R: AsyncBufReadExt + Unpin>(stream: &mut R, content: bool, seen: &Seen) -> std::io::Result<String> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        seen.lock().unwrap().push(line.clone());
        match (content, line.as_str()) {
            (true, ".") => return Ok("DOT".to_owned()),
            (true, _) => {}
            (false, _) if line.starts_with("BDAT ") => return chunk(stream, &line, seen).await,
            (false, _) => return Ok(line.split(' ').next().unwrap_or_default().to_uppercase()),
        }
    }
}

/// Reads the octets of a chunk, which are seen escaped.
async fn chunk<R: AsyncBufReadExt + Unpin>(stream: &mut R, line: &str, seen: &Seen) -> std::io::Result<String> {
    let (size, last) = line["BDAT ".len()..].split_once(' ').unwrap_or((&line["BDAT ".len()..], ""));
    let mut octets = vec![0; size.parse().unwrap()];
    stream.read_exact(&mut octets).await?;
    seen.lock().unwrap().push(octets.escape_ascii().to_string());
    Ok(if last == "LAST" { last } else { "BDAT" }.to_owned())
}
