//! The limits of a session that the protocol machine keeps by itself.
//!
//! Each has a reply of its own. Limits of time, connections and space belong to whoever drives the machine.

/// What one session may do. The defaults are those of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest command line, in octets, CRLF included. Over it: 500, the line is swallowed. Lines of a message
    /// have no limit but the message's.
    pub line: usize,
    /// Commands since the session began or its last accepted message that carry none: HELO, MAIL, RSET, NOOP, VRFY
    /// and the like. Over it: 421 and close.
    pub idle_commands: u32,
    /// 5yz replies since the session began or its last accepted message. At it: 421 and close.
    pub errors: u32,
    /// Accepted recipients of one transaction. Over it: 452, the earlier ones stay (RFC 5321 4.5.3.1.10).
    pub recipients: usize,
    /// Octets of a message. Over it: `Question::Oversize` (RFC 1870).
    pub message_size: u64,
    /// Octets of a message's header. Over it: 552 at the end of the message.
    pub header_size: u64,
    /// `Received` fields in a message's header. Over it: 554 at the end of the message (RFC 5321 6.3).
    pub hops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 2048,
            idle_commands: 100,
            errors: 20,
            recipients: 1000,
            message_size: 10 << 20,
            header_size: 256 << 10,
            hops: 50,
        }
    }
}
