//! Sends messages over SMTP as fast as they are taken, for benchmarks in which Postfix's smtp-source would be the limit.
//!
//! One thread, any number of connections; commands go in groups (RFC 2920), and the message in one write. Ends with 1 at the first
//! reply that is not what it should be.

use clap::Parser;
use std::cell::Cell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends messages over SMTP as fast as they are taken.
#[derive(Parser)]
struct Options {
    /// Connections at a time.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 1000)]
    messages: usize,
    /// Octets of a message.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// The recipient.
    #[arg(long, default_value = "alice@example.com")]
    to: String,
    /// With more than one, each message goes to the next of so many domains: `d0.`, `d1.` and so on before that of the recipient.
    #[arg(long, default_value_t = 1)]
    destinations: usize,
    /// Send all messages of a connection over it; else each message has a connection of its own.
    #[arg(long)]
    keep: bool,
    /// The server, as address and port.
    server: std::net::SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Rc::new(Options::parse());
    let left = Rc::new(Cell::new(options.messages));
    let tasks = tokio::task::LocalSet::new();
    let clients: Vec<_> =
        (0..options.connections).map(|_| tasks.spawn_local(client(options.clone(), left.clone()))).collect();
    tasks.await;
    for client in clients {
        match client.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                eprintln!("smtp-source: {error}");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("smtp-source: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

async fn client(options: Rc<Options>, left: Rc<Cell<usize>>) -> io::Result<()> {
    let message = message(options.size);
    while left.get() > 0 {
        let mut talk = Talk::open(&options).await?;
        while left.get() > 0 {
            left.set(left.get() - 1);
            talk.say(group(&options, left.get()).as_bytes()).await?;
            for code in ["250", "250", "354"] {
                talk.hear(code).await?;
            }
            talk.say(&message).await?;
            talk.hear("250").await?;
            if !options.keep {
                break;
            }
        }
        talk.say(b"QUIT\r\n").await?;
        talk.hear("221").await?;
    }
    Ok(())
}

/// The commands of the n-th message.
fn group(options: &Options, n: usize) -> String {
    let to = match options.to.split_once('@') {
        Some((local, domain)) if options.destinations > 1 => format!("{local}@d{}.{domain}", n % options.destinations),
        _ => options.to.clone(),
    };
    format!("MAIL FROM:<bench@client.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n")
}

fn message(size: usize) -> Vec<u8> {
    let mut message = b"From: <bench@client.example>\r\nSubject: benchmark\r\n\r\n".to_vec();
    let line = [&[b'x'; 78][..], b"\r\n"].concat();
    while message.len() < size {
        message.extend_from_slice(&line[80 - line.len().min(size - message.len()).max(2)..]);
    }
    message.extend_from_slice(b".\r\n");
    message
}

/// A connection, and what was read ahead.
struct Talk {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Talk {
    async fn open(options: &Options) -> io::Result<Self> {
        let stream = TcpStream::connect(options.server).await?;
        stream.set_nodelay(true)?;
        let mut talk = Self { stream, input: Vec::with_capacity(4096) };
        talk.hear("220").await?;
        talk.say(b"EHLO client.example\r\n").await?;
        talk.hear("250").await?;
        Ok(talk)
    }

    async fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }

    /// The next reply, of one line or several; it must have this code.
    async fn hear(&mut self, code: &str) -> io::Result<()> {
        loop {
            while let Some(end) = self.input.iter().position(|&octet| octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                if !line.starts_with(code.as_bytes()) {
                    return Err(io::Error::other(format!(
                        "expected {code}: {}",
                        String::from_utf8_lossy(&line).trim_end()
                    )));
                }
                if line.get(3) != Some(&b'-') {
                    return Ok(());
                }
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
