//! Ten thousand clients that take their time.

use super::memory::Memory;
use super::{HELLO, MIB, TO_ALICE, number, warm, watched};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;

/// What one idle connection may cost. Ten thousand of them are to fit into 300 MiB.
const EACH: usize = 24 << 10;
/// What a connection may cost while a message comes in, beside the budget of `draft-memory`: a buffer to read into, and
/// the header.
const EACH_MESSAGE: usize = 64 << 10;

/// So many clients, each of which has had replies to what it said first, and has said half of something more.
fn slow(address: SocketAddr, count: usize, first: &str, half: &str) -> Vec<TcpStream> {
    const HANDS: usize = 8;
    let clients = Mutex::new(Vec::new());
    let one = || {
        let mut stream = BufReader::new(TcpStream::connect(address).expect("connecting"));
        stream.get_ref().set_read_timeout(Some(crate::wait::PATIENCE)).unwrap();
        stream.get_ref().set_nodelay(true).unwrap();
        stream.get_mut().write_all(first.as_bytes()).expect("sending");
        // The greeting, and a reply to each line.
        for _ in 0..=first.lines().count() {
            let mut line = String::new();
            while line.as_bytes().get(3) != Some(&b' ') {
                line.clear();
                assert!(stream.read_line(&mut line).expect("a reply") > 0, "turned away");
            }
            assert!(line.starts_with(['2', '3']), "{line}");
        }
        stream.get_mut().write_all(half.as_bytes()).expect("sending");
        stream.into_inner()
    };
    std::thread::scope(|scope| {
        for hand in 0..HANDS {
            let (one, clients) = (&one, &clients);
            scope.spawn(move || {
                for _ in (hand..count).step_by(HANDS) {
                    let client = one();
                    clients.lock().unwrap().push(client);
                }
            });
        }
    });
    clients.into_inner().unwrap()
}

/// This process has as many files open as the server.
fn open_many_files() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("raising the limit on open files");
}

#[test]
fn ten_thousand_clients_with_half_a_command() {
    open_many_files();
    let count = number("MAILSLUICE_SLOW", 4000);
    let server = warm("connections = 12000\nconnections-per-client = 12000\n");
    let (memory, address) = (Memory::of(server.pid()), server.address(0));
    let mut clients = Vec::new();
    watched("slow clients", &memory, address, count * EACH + 2 * MIB, || {
        // The greeting is waited for: who talks before it is turned away.
        clients = slow(address, count, "", HELLO.trim_end());
    });
    println!("{count} slow clients, {} octets each", memory.grown() / count);
    // Others still get in while they are there, and the next word of each is heard.
    watched("slow clients that go on", &memory, address, count * EACH + 2 * MIB, || {
        for client in &mut clients {
            client.write_all(b"\r\nMAIL FR").expect("sending");
        }
        for client in &clients {
            let mut line = String::new();
            BufReader::new(client).read_line(&mut line).expect("a reply");
            assert_eq!(line, "250-mx.example.com\r\n");
        }
    });
}

#[test]
fn hundreds_of_clients_with_half_a_message() {
    open_many_files();
    const COUNT: usize = 500;
    let server = warm("connections-per-client = 1000\ndraft-memory = \"8 MiB\"\n");
    let (memory, address) = (Memory::of(server.pid()), server.address(0));
    let half = format!("Subject: half\r\n\r\n{}", "of a message\r\n".repeat(10_000));
    let mut clients = Vec::new();
    // All together they have sent 68 MiB.
    watched("slow messages", &memory, address, 8 * MIB + COUNT * EACH_MESSAGE, || {
        clients = slow(address, COUNT, "", HELLO);
        for client in &mut clients {
            // What follows needs no reply.
            client.write_all(format!("{TO_ALICE}DATA\r\n{half}").as_bytes()).expect("sending");
        }
        for client in &mut clients {
            client.write_all(b"\r\n.\r\n").expect("sending");
        }
        for client in clients.drain(..) {
            let mut lines = BufReader::new(client).lines().map_while(Result::ok);
            assert!(lines.any(|line| line.contains(" Ok: queued as ")), "one of them was lost");
        }
    });
}
