//! The answer to TLS-ALPN-01 (RFC 8737) at addresses of its own: a handshake for those that ask for nothing else, an alert for everybody.
//!
//! Listeners whose handshake comes first answer beside what they are there for.

use super::door;
use crate::tls::Challenges;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves one address until the server stops.
pub async fn serve(listener: TcpListener, challenges: Arc<Challenges>, stopping: CancellationToken) {
    let answer = move |stream| {
        let challenges = challenges.clone();
        async move { challenges.serve(stream).await }
    };
    door::serve(listener, "tls-alpn-01", stopping, answer).await;
}
