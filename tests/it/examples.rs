//! What dialogues of the sinks in `examples/sinks` can't show, as a second program is needed. The sinks are built by foreign compilers, so
//! plain `cargo test` leaves this out: `make examples` builds and runs them all.

use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::PATIENCE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;

/// A server with the sink of an example, whose manifest is adapted.
fn server(example: &str, adapt: impl Fn(String) -> String) -> Server {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sinks").join(example);
    let manifest = std::fs::read_to_string(folder.join("sink.toml")).expect("the example's sink.toml");
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", &adapt(manifest.replace("module = \"", &format!("module = \"{}/", folder.display()))));
    // Large modules take their time to compile.
    site.start_within(4 * PATIENCE)
}

fn send(server: &Server, recipient: &str, message: &str) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.deliver("carol@client.example", &[recipient], message);
    client.quit();
    reply.to_string()
}

/// A web service that answers each request in turn, and returns the requests.
fn web_service(answers: &'static [&str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let serve = move || answers.iter().map(|answer| exchange(&listener, answer)).collect();
    (address, std::thread::spawn(serve))
}

fn exchange(listener: &TcpListener, answer: &str) -> String {
    let mut stream = BufReader::new(listener.accept().expect("a request").0);
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).expect("a header line");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the body");
    let (status, text) = answer.split_once('|').expect("status and text");
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    stream.get_mut().write_all(response.as_bytes()).expect("a client that reads");
    String::from_utf8(body).expect("JSON")
}

#[test]
#[ignore = "needs `make examples`"]
fn the_webhook_is_told_and_decides() {
    let (address, requests) = web_service(&["204 No Content|", "403 Forbidden|No requests on Sundays", "500 Oops|"]);
    let server = server("js-webhook", |manifest| manifest.replace("127.0.0.1:8085", &address.to_string()));
    let message = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n";
    assert!(send(&server, "alice@example.com", message).starts_with("250 "));
    let refused = send(&server, "alice@example.com", message);
    assert!(refused.starts_with("550 5.7.1 No requests on Sundays ("), "{refused}");
    let deferred = send(&server, "alice@example.com", message);
    assert!(deferred.starts_with("451 4.3.0 "), "{deferred}");
    let id = deferred.rsplit('(').next().unwrap_or_default().trim_end_matches(')');
    let fault = server.account(id).ledger.entries[0].fault.clone();
    assert_eq!(fault.as_deref(), Some("the webhook answered 500"));
    let told: serde_json::Value = serde_json::from_str(&requests.join().expect("requests")[0]).expect("JSON");
    assert_eq!(
        (&told["sender"], &told["recipients"][0]),
        (&"carol@client.example".into(), &"alice@example.com".into())
    );
    assert_eq!(told["subject"], "Grüße");
    server.arrived("example.com", "alice", 1);
}
