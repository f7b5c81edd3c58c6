//! Who knows tokens: an endpoint for token introspection (RFC 7662) that knows one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// The endpoint. Its threads end with the test's process.
pub(super) struct Tokens {
    pub(super) address: SocketAddr,
}

impl Tokens {
    /// Starts one that says of this token that it is this user's, and of every other that it is not active.
    pub(super) fn start(token: &'static str, user: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A client that goes away has its answer, or wants none.
                std::thread::spawn(move || drop(serve(stream, token, user)));
            }
        });
        Self { address }
    }
}

fn serve(stream: TcpStream, token: &str, user: &str) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut from = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut form = vec![0; length];
        from.read_exact(&mut form)?;
        let good = String::from_utf8_lossy(&form).split('&').any(|field| field.strip_prefix("token=") == Some(token));
        let body =
            if good { format!("{{\"active\":true,\"username\":\"{user}\"}}") } else { "{\"active\":false}".into() };
        write!(
            out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
}
