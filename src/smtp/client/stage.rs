//! Where in the dialogue, and how long the peer may take there (RFC 5321 4.5.3.2).

use std::fmt;
use std::time::Duration;

/// What the machine does or waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The connection is being opened.
    Connect,
    /// Waits for the greeting.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS, and the handshake (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954).
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, until the 354.
    Data,
    /// The content is on its way, one block at a time.
    Content,
    /// Chunks of the content are on their way, and their replies (RFC 3030 2).
    Chunk,
    /// The final dot or the last chunk has been sent.
    Dot,
    /// RSET between two transactions.
    Reset,
    /// QUIT.
    Quit,
    /// Nothing is under way.
    Idle,
}

impl Stage {
    /// How long to wait there before giving up: for a reply, or for one block of content to be taken.
    /// The minimum times of RFC 5321 4.5.3.2; it names none for connecting, EHLO, TLS, RSET and QUIT.
    pub fn patience(self) -> Duration {
        let seconds = match self {
            Self::Connect | Self::Quit => 30,
            Self::Reset | Self::StartTls => 60,
            Self::Data => 2 * 60,
            Self::Content | Self::Chunk => 3 * 60,
            Self::Greeting | Self::Hello | Self::Auth | Self::Mail | Self::Rcpt | Self::Idle => 5 * 60,
            Self::Dot => 10 * 60,
        };
        Duration::from_secs(seconds)
    }
}

/// As in "while waiting for …".
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection",
            Self::Greeting => "the greeting",
            Self::Hello => "the reply to EHLO, HELO or LHLO",
            Self::StartTls => "TLS",
            Self::Auth => "the reply to AUTH",
            Self::Mail => "the reply to MAIL",
            Self::Rcpt => "the reply to RCPT",
            Self::Data => "the reply to DATA",
            Self::Content => "the content to be taken",
            Self::Chunk => "the reply to BDAT",
            Self::Dot => "the reply to the end of data",
            Self::Reset => "the reply to RSET",
            Self::Quit => "the reply to QUIT",
            Self::Idle => "the next message",
        })
    }
}
