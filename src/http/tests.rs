//! The client against a server on loopback.

use super::*;
use crate::event::host::HttpOf;
use crate::mail::{Blob, Content, Piece};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that answers one request with `response` and tells what was asked.
async fn server(response: &'static [u8]) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let asked = read(&mut socket).await;
        // Whoever has heard enough may have gone.
        let _ = socket.write_all(response).await;
        asked
    });
    (origin, served)
}

/// One request with its body.
async fn read(socket: &mut TcpStream) -> Vec<u8> {
    let mut asked = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&asked);
        if let Some((header, _)) = text.split_once("\r\n\r\n") {
            let length = header.lines().find_map(|line| line.strip_prefix("content-length: "));
            let wanted = header.len() + 4 + length.map_or(0, |n| n.parse::<usize>().unwrap());
            if asked.len() >= wanted {
                return asked;
            }
        }
        if socket.read_buf(&mut asked).await.unwrap() == 0 {
            return asked;
        }
    }
}

fn of(origin: &str) -> HttpOf {
    HttpOf::new(Arc::new(HttpClient::new()), [WebOrigin::parse(origin).unwrap()])
}

/// Asks that server for `/path`, after `change`.
async fn fetch(
    response: &'static [u8],
    change: impl FnOnce(&mut HttpRequest),
) -> (Result<HttpResponse, HttpFault>, String) {
    let (origin, served) = server(response).await;
    let mut request = HttpRequest::new("GET", format!("{origin}/path?key=hush"));
    change(&mut request);
    let result = of(&origin).fetch(request).await;
    (result, String::from_utf8(served.await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_request_and_its_response() {
    let answer = b"HTTP/1.1 404 Not Found\r\nX-Why: gone\r\nContent-Length: 4\r\n\r\nnone";
    let (result, asked) = fetch(answer, |r| r.headers.push(("X-Token".into(), "a b".into()))).await;
    let response = result.unwrap();
    assert_eq!((response.status, &response.body[..]), (404, &b"none"[..]));
    assert!(response.headers.contains(&("x-why".into(), "gone".into())), "{:?}", response.headers);
    assert!(asked.starts_with("GET /path?key=hush HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-token: a b\r\n") && asked.contains("user-agent: Mailsluice/"), "{asked}");
}

#[tokio::test]
async fn a_message_is_sent_as_it_lies_there() {
    let blob: Arc<dyn Blob> = Arc::new(Bytes::from(vec![b'x'; 200_000]));
    let content = Content::of(blob, vec![Piece::Inline("Subject: a\r\n\r\n".into()), Piece::Blob(0..200_000)]);
    let wanted = String::from_utf8(content.to_bytes().unwrap().to_vec()).unwrap();
    let (result, asked) = fetch(b"HTTP/1.1 204 No Content\r\n\r\n", |r| {
        (r.method, r.body) = ("POST".into(), HttpBody::Content(content));
    })
    .await;
    assert_eq!(result.unwrap().status, 204);
    let (header, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(body == wanted && header.contains(&format!("content-length: {}", wanted.len())), "{header}");
    assert!(!header.contains("transfer-encoding"), "{header}");
}

#[tokio::test]
async fn a_redirect_is_a_response_and_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let (result, _) = fetch(answer, |_| {}).await;
    let response = result.unwrap();
    assert_eq!(response.status, 302);
    assert!(response.headers.contains(&("location".into(), "http://127.0.0.1:1/".into())));
}

#[tokio::test]
async fn a_response_over_the_limit_is_cut_off_whether_it_says_so_or_not() {
    let said = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
    let unsaid = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n";
    for answer in [&said[..], &unsaid[..]] {
        assert_eq!(fetch(answer, |r| r.response_max = 10).await.0, Err(HttpFault::TooLarge(10)));
        assert_eq!(fetch(answer, |r| r.response_max = 11).await.0.unwrap().body, "hello world");
    }
}

#[tokio::test]
async fn a_failure_has_its_cause_and_not_the_url() {
    let (result, _) = fetch(b"this is not HTTP\r\n\r\n", |_| {}).await;
    let Err(HttpFault::Failed(broken)) = result else { panic!("{result:?}") };
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let origin = format!("http://{nobody}");
    let refused = of(&origin).fetch(HttpRequest::new("GET", format!("{origin}/?key=hush"))).await;
    let Err(HttpFault::Failed(refused)) = refused else { panic!("{refused:?}") };
    assert!(refused.starts_with("cannot connect: ") && refused.contains("refused"), "{refused}");
    assert!(!refused.contains("hush") && !broken.contains("hush"), "{refused} {broken}");
}

#[tokio::test]
async fn who_does_not_answer_is_waited_for_no_longer_than_asked() {
    // It accepts by itself, and nobody ever reads.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut request = HttpRequest::new("GET", &origin);
    request.timeout = Duration::from_millis(50);
    assert_eq!(of(&origin).fetch(request).await, Err(HttpFault::Timeout));
}

#[test]
fn a_url_means_the_same_to_both_parsers_or_is_refused() {
    for good in
        ["https://policy.example.com", "http://127.0.0.1:8080/a?b", "https://[2001:db8::1]/", "http://A.example"]
    {
        assert!(url(good).is_ok(), "{good}");
    }
    for odd in ["http://127.1/", "http://0x7f.0.0.1/", "http://2130706433/", "https://xn--/", "http://a@b/"] {
        assert!(matches!(url(odd), Err(HttpFault::Invalid(_))), "{odd}");
    }
}
