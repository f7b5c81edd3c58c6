//! Sends messages over SMTP as fast as they are taken, for benchmarks in which Postfix's smtp-source would be the limit.
//!
//! One thread, any number of connections, in the clear or under TLS; commands go in groups (RFC 2920), and the message in one write.
//! Ends with 1 at the first reply that is not what it should be.
//!
//! Under TLS it believes every certificate, so that it does less than the server, and offers one cipher suite and one group of
//! TLS 1.3, so that servers do the same.

#[path = "source_tls.rs"]
mod tls;

use clap::Parser;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::cell::Cell;
use std::io::{self, Read};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tls::{Mode, Stream, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

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
    /// Encrypt the connections.
    #[arg(long)]
    tls: Option<Mode>,
    /// With --hello: gather as many tickets first, and take up their sessions.
    #[arg(long)]
    resume: bool,
    /// Send no messages: so many connections say EHLO (under TLS again) and QUIT. Under TLS it writes `ready`, waits for a line, and
    /// tells at the end how many handshakes there were.
    #[arg(long)]
    hello: bool,
    /// Open the connections, say EHLO, write `open`, and keep them without a word until the input ends.
    #[arg(long)]
    hold: bool,
    /// The server, as address and port.
    server: std::net::SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Rc::new(Options::parse());
    let tls = options.tls.map(|mode| Rc::new(Tls::new(mode, options.resume)));
    if options.hold {
        return hold(&options, tls.as_deref()).await;
    }
    match work(&options, tls.as_ref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtp-source: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn work(options: &Rc<Options>, tls: Option<&Rc<Tls>>) -> io::Result<()> {
    let Some(tls) = tls.filter(|_| options.hello) else { return all(options, tls).await };
    if options.resume {
        all(options, Some(tls)).await?;
    }
    println!("ready");
    io::stdin().read_line(&mut String::new())?;
    tls.begin();
    let before = spent()?;
    all(options, Some(tls)).await?;
    let seconds = (spent()? - before).as_secs_f64();
    println!("{} handshakes, {} of them resumed, {seconds:.3} s of processor time", tls.done.get(), tls.resumed.get());
    Ok(())
}

/// Processor time so far.
fn spent() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let time = |t: TimeVal| Duration::from_micros((t.tv_sec() * 1_000_000 + t.tv_usec()).unsigned_abs());
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// All messages, or connections.
async fn all(options: &Rc<Options>, tls: Option<&Rc<Tls>>) -> io::Result<()> {
    let left = Rc::new(Cell::new(options.messages));
    let tasks = LocalSet::new();
    let clients: Vec<_> = (0..options.connections)
        .map(|_| tasks.spawn_local(client(options.clone(), tls.cloned(), left.clone())))
        .collect();
    tasks.await;
    for client in clients {
        client.await??;
    }
    Ok(())
}

/// One connection after the other: a crowd at once would wait for its own backlog.
async fn hold(options: &Options, tls: Option<&Tls>) -> ExitCode {
    let mut open = Vec::new();
    for _ in 0..options.connections {
        match Talk::open(options, tls).await {
            Ok(talk) => open.push(talk),
            Err(error) => {
                eprintln!("smtp-source: after {} connections: {error}", open.len());
                return ExitCode::FAILURE;
            }
        }
    }
    println!("open");
    // Whatever there is to read, its end is what counts.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

async fn client(options: Rc<Options>, tls: Option<Rc<Tls>>, left: Rc<Cell<usize>>) -> io::Result<()> {
    let message = message(options.size);
    while left.get() > 0 {
        if options.hello {
            // Counted before it is open, or others would open as many more.
            left.set(left.get() - 1);
        }
        let mut talk = Talk::open(&options, tls.as_deref()).await?;
        while left.get() > 0 && !options.hello {
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
    stream: Stream,
    input: Vec<u8>,
}

impl Talk {
    async fn open(options: &Options, tls: Option<&Tls>) -> io::Result<Self> {
        let tcp = TcpStream::connect(options.server).await?;
        tcp.set_nodelay(true)?;
        let stream = match tls {
            Some(tls) if tls.mode == Mode::Implicit => tls.secure(Box::new(tcp)).await?,
            _ => Box::new(tcp),
        };
        let mut talk = Self { stream, input: Vec::with_capacity(4096) };
        talk.hear("220").await?;
        talk.greet().await?;
        if let Some(tls) = tls.filter(|tls| tls.mode == Mode::Starttls) {
            talk.say(b"STARTTLS\r\n").await?;
            talk.hear("220").await?;
            talk.stream = tls.secure(talk.stream).await?;
            talk.greet().await?;
        }
        Ok(talk)
    }

    async fn greet(&mut self) -> io::Result<()> {
        self.say(b"EHLO client.example\r\n").await?;
        self.hear("250").await
    }

    async fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
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
