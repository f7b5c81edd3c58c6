//! Passes that can't go on: next hops without a turn, a server that stops, a panic; and what they must not hold up.

use crate::hop::Hop;
use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::{PATIENCE, eventually};
use mailsluice::mail::{Content, Id};
use mailsluice::spool::{
    Claim, Draft, Entry, Fence, Health, MemorySpool, NodeId, Record, Spool, StoreFault, StoredContent, Usage,
};
use mailsluice::transport::Operation;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
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

/// A spool that panics once, when an outcome is to be recorded.
struct PanicsOnce(MemorySpool, AtomicBool);

#[async_trait::async_trait]
impl Spool for PanicsOnce {
    fn draft(&self) -> Draft {
        self.0.draft()
    }
    async fn commit(&self, fence: Fence, batch: Vec<Record>) -> Result<(), StoreFault> {
        if !matches!(batch[..], [Record::Accept(..)]) && !self.1.swap(true, SeqCst) {
            panic!("once");
        }
        self.0.commit(fence, batch).await
    }
    fn open(&self, content: &StoredContent) -> Result<Content, StoreFault> {
        self.0.open(content)
    }
    fn entry(&self, id: Id) -> Result<Entry, StoreFault> {
        self.0.entry(id)
    }
    async fn claim(&self, node: NodeId) -> Result<Claim, StoreFault> {
        self.0.claim(node).await
    }
    fn health(&self) -> Health {
        self.0.health()
    }
    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

#[test]
fn a_pass_that_panics_puts_its_message_back() {
    let spool = Arc::new(PanicsOnce(MemorySpool::new(), AtomicBool::new(false)));
    let server = Plan::new(Site::PLAIN).spool(spool.clone()).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.deliver("a@client.example", &["alice@example.com"], MESSAGE).must_be(250);
    eventually("a panic", || spool.1.load(SeqCst).then_some(()));
    eventually("an idle message", || server.operate(reply.id(), &Operation::Retry).ok());
    eventually("an empty queue", || (server.queue.count() == 0).then_some(()));
}
