//! Memory stays bounded whatever clients and sinks do without end: lines, headers, chunks, recipients, connections, replies
//! that nobody reads, calls that never return, properties by the hundred thousand. And others are served meanwhile.
//!
//! `MAILSLUICE_FLOOD` says how many there are of what is counted, and `MAILSLUICE_SLOW` how many slow clients; fewer than the
//! worst if they are not set. The bounds are the same for all sizes: that is what these tests are about.

mod chunks;
mod lines;
mod memory;
mod properties;
mod recipients;
mod sinks;
mod slow;
mod unread;

use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use memory::Memory;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

/// What everybody else may have to wait, on a machine that is busy with the attack as well.
const PROMPT: Duration = Duration::from_secs(10);

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

/// How many there are of what is sent without end.
fn flood() -> usize {
    number("MAILSLUICE_FLOOD", 100_000)
}

/// A server of the usual configuration and these limits, which has had some ordinary mail.
fn warm(limits: &str) -> Server {
    let config = Site::PLAIN.to_owned() + limits + "\n[log]\nlevel = \"warn\"\n";
    let server = Site::new(&config).start();
    warm_up(server.address(0));
    server
}

/// Mail of all sizes, so that what a server needs anyway is there before anybody counts.
fn warm_up(address: SocketAddr) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for size in [10, 1000, 300 << 10, 1 << 20] {
                    let text = format!("Subject: warm\r\n\r\n{}", "0123456789abcdef\r\n".repeat(size / 18));
                    SmtpClient::greeted(address).deliver("w@client.example", &["bob@example.com"], &text).must_be(250);
                }
            });
        }
    });
}

/// Plays an attack on a warm server. Memory may grow by `bound` octets over what it was, and whoever sends a message meanwhile
/// and afterwards is served promptly.
fn attacked(what: &str, server: &Server, bound: usize, attack: impl FnOnce() + Send) {
    watched(what, &Memory::of(server.pid()), server.address(0), bound, attack);
}

fn watched(what: &str, memory: &Memory, address: SocketAddr, bound: usize, attack: impl FnOnce() + Send) {
    let over = AtomicBool::new(false);
    let mut longest = Duration::ZERO;
    std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            // However it ends: a failed attack must not be waited for.
            let _over = Ends(&over);
            attack();
        });
        loop {
            let last = over.load(SeqCst);
            longest = longest.max(ordinary(address));
            if last {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        attacker.join().expect("the attack");
    });
    let grown = memory.grown();
    println!("{what}: {} KiB more than {} KiB; others waited {longest:?}", grown >> 10, memory.before() >> 10);
    assert!(grown < bound, "{what}: {grown} octets more, and {bound} are allowed");
    assert!(longest < PROMPT, "{what}: others had to wait for {longest:?}");
}

struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// An ordinary client with an ordinary message, and how long it took.
fn ordinary(address: SocketAddr) -> Duration {
    let began = Instant::now();
    let message = "Subject: ordinary\r\n\r\nx\r\n";
    SmtpClient::greeted(address).deliver("b@client.example", &["bob@example.com"], message).must_be(250);
    began.elapsed()
}

/// A client that sends without waiting for replies, which another thread reads.
struct Flood {
    stream: TcpStream,
    /// Lines of replies so far.
    heard: Arc<AtomicUsize>,
    reader: std::thread::JoinHandle<Vec<u8>>,
}

impl Flood {
    /// Says this first, once it is greeted.
    fn begin(address: SocketAddr, first: &str) -> Self {
        let stream = greeted(address);
        let mut replies = stream.try_clone().unwrap();
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = heard.clone();
        let reader = std::thread::spawn(move || tail(&mut replies, &counted).expect("replies"));
        let mut flood = Self { stream, heard, reader };
        flood.send(first.as_bytes()).expect("sending");
        flood
    }

    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }

    /// Waits until so many lines of replies have come.
    fn hears(&self, lines: usize) {
        eventually("replies", || (self.heard.load(SeqCst) >= lines).then_some(()));
    }

    /// No more is sent; the last replies.
    fn end(self) -> String {
        // It may have been closed by the other side.
        let _ = self.stream.shutdown(Shutdown::Write);
        String::from_utf8(self.reader.join().unwrap()).expect("replies that are text")
    }
}

/// A connection whose greeting was read: who talks before it is turned away.
fn greeted(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connecting");
    stream.set_read_timeout(Some(crate::wait::PATIENCE)).unwrap();
    let mut octet = [0];
    while octet != *b"\n" {
        stream.read_exact(&mut octet).expect("a greeting");
    }
    stream
}

/// Reads to the end, and keeps the last KiB or two.
fn tail(stream: &mut TcpStream, lines: &AtomicUsize) -> io::Result<Vec<u8>> {
    let (mut kept, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(kept),
            Ok(n) => {
                lines.fetch_add(buffer[..n].iter().filter(|octet| **octet == b'\n').count(), SeqCst);
                kept.extend_from_slice(&buffer[..n]);
            }
            // What was sent and not read any more resets the connection.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(kept),
            Err(error) => return Err(error),
        }
        if kept.len() > 2048 {
            kept.drain(..kept.len() - 1024);
        }
    }
}

const HELLO: &str = "EHLO client.example\r\n";
const TO_ALICE: &str = "MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.com>\r\n";
