//! The answer to HTTP-01 (RFC 8555 8.3): a server that knows the tokens of the moment, and nothing else.
//!
//! One request a connection, of a bounded size, in a bounded time, on a bounded number of connections. Whatever is no request for
//! a token that is being looked for gets 404.

use super::door;
use super::shown::Shown;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Octets of a request.
const REQUEST_MAX: usize = 8 * 1024;
/// Before the token.
const PATH: &str = "/.well-known/acme-challenge/";

/// Serves one address until the server stops.
pub async fn serve(listener: TcpListener, shown: Shown, stopping: CancellationToken) {
    let answer = move |stream| {
        let shown = shown.clone();
        async move { exchange(stream, &shown).await }
    };
    door::serve(listener, "http-01", stopping, answer).await;
}

/// One request and its response.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, shown: &Shown) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|octets| octets == b"\r\n\r\n") {
        if request.len() >= REQUEST_MAX || stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let answer = token(&request).and_then(|token| shown.answer(token));
    let (status, body) = match &answer {
        Some(answer) => ("200 OK", answer.as_str()),
        None => ("404 Not Found", ""),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await
}

/// The token that a request asks for.
fn token(request: &[u8]) -> Option<&str> {
    let line = request.split(|&octet| octet == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let plain = method == "GET" && version.starts_with("HTTP/1.") && words.next().is_none();
    plain.then_some(target)?.strip_prefix(PATH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_request_asks_for_a_token() {
        let asked = |line: &str| token(format!("{line}\r\nHost: x\r\n\r\n").as_bytes()).map(str::to_owned);
        assert_eq!(asked("GET /.well-known/acme-challenge/abc HTTP/1.1").as_deref(), Some("abc"));
        for line in [
            "POST /.well-known/acme-challenge/abc HTTP/1.1",
            "GET /.well-known/acme-challenge/abc",
            "GET /.well-known/acme-challenge/abc HTTP/2",
            "GET /.well-known/acme-challenge/abc HTTP/1.1 x",
            "GET /.well-known/../x HTTP/1.1",
            "GET / HTTP/1.1",
            "",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
        assert_eq!(token(b"GET /.well-known/acme-challenge/\xff HTTP/1.1\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_request_is_bounded() {
        let (mut client, server) = tokio::io::duplex(64);
        let serving = tokio::spawn(async move { exchange(server, &Shown::default()).await });
        let mut written = 0;
        while client.write_all(b"GET /x HTTP/1.1 ").await.is_ok() {
            written += 16;
            assert!(written <= REQUEST_MAX + 1024, "it reads without end");
        }
        assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
