//! Next hops that have no turn: what they hold up, and what they must not.

use crate::hop::Hop;
use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::{PATIENCE, eventually};
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

const MESSAGE: &str = "Subject: x\r\n\r\ny\r\n";

fn routed(to: &str) -> Inside {
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]");
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {to}\n");
    Plan::new(&format!("{config}{route}")).start()
}

fn send(server: &Inside, recipient: &str, count: usize) {
    let mut client = SmtpClient::greeted(server.address(0));
    for _ in 0..count {
        client.deliver("a@client.example", &[recipient], MESSAGE).must_be(250);
    }
    client.quit();
}

fn smtp(address: SocketAddr) -> String {
    format!("{{ smtp = \"{address}\" }}")
}

#[test]
fn a_host_that_hangs_holds_its_own_mail_only() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = routed(&smtp(silent.local_addr().unwrap()));
    send(&server, "bob@uni.example", 270);
    send(&server, "alice@example.com", 1);
    server.arrived("alice", 1);
    eventually("all others in the queue", || (server.queue.count() == 270).then_some(()));
}

#[test]
fn whoever_waits_is_woken_by_each_turn_that_is_given_back() {
    let hop = Hop::start();
    let server = routed(&smtp(hop.address));
    send(&server, "bob@uni.example", 45);
    let first: Vec<_> = (0..20).map(|_| hop.next()).collect();
    assert!(hop.at_once().is_none(), "20 connections at a time");
    let started = Instant::now();
    first.into_iter().for_each(|arrival| arrival.answer("250 ok"));
    (0..25).for_each(|_| hop.next().answer("250 ok"));
    eventually("an empty queue", || (server.queue.count() == 0).then_some(()));
    assert!(started.elapsed() < PATIENCE / 2, "nobody waits for the second look");
}

#[test]
fn a_server_that_stops_opens_no_more_connections() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = routed(&smtp(silent.local_addr().unwrap()));
    send(&server, "bob@uni.example", 25);
    let mut streams: Vec<_> = (0..20).map(|_| silent.accept().unwrap().0).collect();
    server.server.stopping.cancel();
    // Turns are given back by those that are refused, and nobody takes them.
    streams.iter_mut().for_each(|stream| std::io::Write::write_all(stream, b"421 not now\r\n").unwrap());
    for stream in &mut streams {
        let _ = stream.read_to_end(&mut Vec::new());
    }
    server.server.tasks.close();
    server.wait(server.server.tasks.wait());
    silent.set_nonblocking(true).unwrap();
    assert!(silent.accept().is_err());
    assert_eq!(server.queue.count(), 25);
}
