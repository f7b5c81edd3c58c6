//! Turning a connection round: the seam between whoever has the connection and whoever sends on it.
//!
//! The server side has said its positive reply and reads no more; what comes next on the stream is the greeting of the other side
//! (RFC 2645 5.2, RFC 821 3.8).

use super::queue::Scope;
use crate::mail::{Id, Origin};
use async_trait::async_trait;
use std::fmt;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection, whatever it runs over.
pub trait Duplex: AsyncRead + AsyncWrite + fmt::Debug + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + fmt::Debug + Unpin + Send> Duplex for S {}

/// A connection on which the roles are swapped.
pub struct Turned {
    /// The connection.
    pub stream: Box<dyn Duplex>,
    /// Whose mail is to be sent.
    pub scopes: Vec<Scope>,
    /// The session it was.
    pub session: Id,
    /// Who is at the other end.
    pub origin: Origin,
}

/// Sends on turned connections.
#[async_trait]
pub trait Turnaround: Send + Sync {
    /// Sends what waits to be called for, and takes leave. What can't be sent goes on waiting.
    async fn turn(&self, turned: Turned);
}

impl fmt::Debug for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turned").field("scopes", &self.scopes).field("session", &self.session).finish_non_exhaustive()
    }
}
