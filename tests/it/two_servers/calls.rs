//! A queue is handed over to another server: a customer's, which stands behind a connection that was turned round.
//!
//! Between the two is who makes the call: it says who it is, sends the verb, and is from then on a wire.

use super::{SITE, provider};
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::stream::trusting;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Sends a line and returns the reply, which has this code.
async fn say(wire: &mut BufReader<Box<dyn Wire>>, line: &str, code: &str) -> String {
    if !line.is_empty() {
        wire.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }
    let mut reply = String::new();
    loop {
        let from = reply.len();
        assert!(wire.read_line(&mut reply).await.unwrap() > 0, "closed after {line}");
        let last = &reply[from..];
        assert!(last.starts_with(code), "{line}: {reply}");
        if last.as_bytes().get(3) == Some(&b' ') {
            return reply;
        }
    }
}

/// Calls the provider, under TLS if this authority is given, with this verb, and connects it with the customer's server until the
/// provider takes leave.
fn call(provider: &Server, authority: Option<&str>, verb: &str, customer: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let calling = async {
        let wire: Box<dyn Wire> = Box::new(TcpStream::connect(provider.address(0)).await.unwrap());
        let mut wire = BufReader::new(wire);
        say(&mut wire, "", "220").await;
        say(&mut wire, "EHLO site.example.org", "250").await;
        if let Some(authority) = authority {
            say(&mut wire, "STARTTLS", "220").await;
            let name = ServerName::try_from("mx.example.com").unwrap();
            let secure = TlsConnector::from(trusting(authority)).connect(name, wire.into_inner()).await.unwrap();
            wire = BufReader::new(Box::new(secure));
            say(&mut wire, "EHLO site.example.org", "250").await;
        }
        say(&mut wire, &format!("AUTH PLAIN {SITE}"), "235").await;
        let offered = say(&mut wire, "EHLO site.example.org", "250").await;
        assert!(offered.contains(verb.split(' ').next().unwrap()), "{offered}");
        // It has no mail as long as the pass that finds the route has not come by.
        while !say(&mut wire, verb, "").await.starts_with("250") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut customer = TcpStream::connect(customer).await.unwrap();
        assert!(wire.buffer().is_empty(), "the provider waits for a greeting");
        // How it ends, the servers tell.
        let _ = copy_bidirectional(wire.get_mut(), &mut customer).await;
    };
    runtime
        .block_on(async { tokio::time::timeout(crate::wait::PATIENCE, calling).await })
        .expect("the end of the call");
}

/// A provider with a message for two of the customer's people, and the customer's server.
fn both() -> (Server, String, Server) {
    let (provider, ca) = provider("tls = true");
    let customer = Site::new(&Site::PLAIN.replace("example.com", "example.org").replace("alice", "carol")).start();
    let mut client = SmtpClient::greeted(provider.address(0));
    client.deliver("bob@client.example", &["carol@example.org", "bob@example.org"], super::LETTER).must_be(250);
    client.quit();
    (provider, ca, customer)
}

fn handed_over(provider: &Server, customer: &Server) {
    provider.logged("the connection is turned round for example.org");
    provider.logged("handed over for example.org: 2 delivered, 0 deferred, 0 failed; 0 messages wait");
    for user in ["carol", "bob"] {
        let arrived = customer.arrived("example.org", user, 1);
        let trace = String::from_utf8_lossy(&arrived[0]).replace("\n ", " ");
        assert_eq!(trace.matches("by mx.example.com (Mailsluice) with ESMTP").count(), 2, "{trace}");
    }
    assert_eq!(provider.status().queue.messages, 0);
}

#[test]
fn by_atrn_under_tls() {
    let (provider, ca, customer) = both();
    call(&provider, Some(&ca), "ATRN example.org", customer.address(0));
    handed_over(&provider, &customer);
}

#[test]
fn by_turn() {
    let (provider, _, customer) = both();
    call(&provider, None, "TURN", customer.address(0));
    handed_over(&provider, &customer);
}
