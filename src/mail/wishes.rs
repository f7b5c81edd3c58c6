//! What a sender asks of a message's way, beside who gets it: when it may begin (RFC 4865), when it must have ended (RFC 2852), before
//! whom it goes (RFC 6710), and what may carry it (RFC 8689).
//!
//! Plain data. What the queue makes of it is in `transport`, how it is written in commands in `smtp`.

use super::header::Header;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The longest time that BY= and HOLDFOR= can name, in seconds (RFC 2852 4, RFC 4865 5).
pub const SECONDS_MAX: u32 = 999_999_999;

/// HOLDFOR= or HOLDUNTIL= of MAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldRequest {
    /// For so many seconds from reception on; at least one.
    For(u32),
    /// Until this time.
    Until(Timestamp),
}

impl HoldRequest {
    /// When the message may go, if it is received now.
    pub fn until(self, now: Timestamp) -> Timestamp {
        match self {
            Self::For(seconds) => now.plus(Duration::from_secs(seconds.into())),
            Self::Until(time) => time,
        }
    }
}

/// What is to happen once the time is over (RFC 2852 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ByMode {
    /// `N`: its sender is told, and it is tried further.
    Notify,
    /// `R`: it is not delivered any more; its sender is told.
    Return,
}

/// BY= as it stands in MAIL: from the moment at which it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// So many seconds are left; none or fewer with `N` alone. At most [`SECONDS_MAX`] either way.
    pub seconds: i32,
    /// `N` or `R`.
    pub mode: ByMode,
    /// `T`: its sender is told of each host that hands it on.
    pub trace: bool,
}

/// The time until which a message is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverBy {
    /// The time.
    pub until: Timestamp,
    /// What is to happen then.
    pub mode: ByMode,
    /// Whether its sender is told of each host that hands it on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
}

impl DeliverBy {
    /// Of a request that counts from `start` on: reception, or the time until which the message is held (RFC 4865 6).
    pub fn new(by: By, start: Timestamp) -> Self {
        let span = Duration::from_secs(by.seconds.unsigned_abs().into());
        let until = match by.seconds < 0 {
            true => Timestamp(start.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))),
            false => start.plus(span),
        };
        Self { until, mode: by.mode, trace: by.trace }
    }

    /// What is left of it for the next host. Whole seconds, rounded down, so that no host takes longer than its sender allows.
    pub fn left(&self, now: Timestamp) -> By {
        let seconds = |span: Duration| i32::try_from(span.as_secs().min(SECONDS_MAX.into())).unwrap_or(i32::MAX);
        let left = match self.until >= now {
            true => seconds(self.until.since(now)),
            false => -seconds(now.since(self.until)),
        };
        By { seconds: left, mode: self.mode, trace: self.trace }
    }

    /// Whether the message must not be delivered any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.mode == ByMode::Return && now >= self.until
    }

    /// Whether its sender is to be told that it is late. One that was late when it came has been told of before (RFC 2852 4.1.1).
    pub fn is_late(&self, received: Timestamp, now: Timestamp) -> bool {
        self.mode == ByMode::Notify && self.until > received && now >= self.until
    }
}

/// A priority, from -9 to 9; 0 is what a message has that asks for none (RFC 6710 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
pub struct Priority(i8);

impl Priority {
    /// None beyond -9 to 9.
    pub fn new(level: i8) -> Option<Self> {
        (-9..=9).contains(&level).then_some(Self(level))
    }

    /// From -9 to 9.
    pub fn level(self) -> i8 {
        self.0
    }
}

impl TryFrom<i8> for Priority {
    type Error = &'static str;
    fn try_from(level: i8) -> Result<Self, Self::Error> {
        Self::new(level).ok_or("a priority is from -9 to 9")
    }
}

impl From<Priority> for i8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the sender says of TLS on the message's way (RFC 8689).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsWish {
    /// Nothing: what the destination's policy asks for.
    #[default]
    Policy,
    /// REQUIRETLS: over verified TLS and to hosts that promise the same, or not at all.
    Required,
    /// `TLS-Required: No`: delivered even where the destination's policy would forbid it.
    Waived,
}

impl TlsWish {
    /// By the parameter of MAIL and the header. The parameter wins (RFC 8689 3 and 4.1).
    pub fn of(require_tls: bool, header: &Header) -> Self {
        let waived = || header.get("TLS-Required").is_some_and(|value| value.trim().eq_ignore_ascii_case("No"));
        match require_tls {
            true => Self::Required,
            false if waived() => Self::Waived,
            false => Self::Policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: By = By { seconds: 90, mode: ByMode::Notify, trace: false };
    const RETURN: By = By { seconds: 90, mode: ByMode::Return, trace: true };

    #[test]
    fn what_is_left_shrinks_and_goes_below_zero() {
        let by = DeliverBy::new(NOTIFY, Timestamp(10_000));
        assert_eq!(by.until, Timestamp(100_000));
        for (now, left) in
            [(10_000, 90), (10_001, 89), (100_000, 0), (100_999, 0), (101_000, -1), (u64::MAX, -999_999_999)]
        {
            assert_eq!(by.left(Timestamp(now)).seconds, left, "{now}");
        }
        let late = DeliverBy::new(By { seconds: -5, ..NOTIFY }, Timestamp(10_000));
        assert_eq!((late.until, late.left(Timestamp(10_000)).seconds), (Timestamp(5_000), -5));
    }

    #[test]
    fn each_mode_has_its_end() {
        let (received, end) = (Timestamp(10_000), Timestamp(100_000));
        let (notify, back) = (DeliverBy::new(NOTIFY, received), DeliverBy::new(RETURN, received));
        assert!(back.is_over(end) && !back.is_over(Timestamp(99_999)) && !notify.is_over(end));
        assert!(notify.is_late(received, end) && !notify.is_late(received, Timestamp(99_999)));
        assert!(!back.is_late(received, end));
        let told_before = DeliverBy::new(By { seconds: 0, ..NOTIFY }, received);
        assert!(!told_before.is_late(received, end));
    }

    #[test]
    fn the_parameter_wins_over_the_field() {
        let header = |text: &str| Header::from_raw(text.as_bytes().to_vec().into());
        let no = header("Subject: x\r\nTLS-Required: no \r\n");
        assert_eq!(TlsWish::of(false, &no), TlsWish::Waived);
        assert_eq!(TlsWish::of(true, &no), TlsWish::Required);
        assert_eq!(TlsWish::of(false, &header("TLS-Required: perhaps\r\n")), TlsWish::Policy);
    }

    #[test]
    fn stored_and_read_again() {
        let by = DeliverBy::new(RETURN, Timestamp(0));
        let json = serde_json::to_string(&by).unwrap();
        assert_eq!(json, r#"{"until":90000,"mode":"return","trace":true}"#);
        assert_eq!(serde_json::from_str::<DeliverBy>(&json).unwrap(), by);
        assert_eq!(serde_json::from_str::<Priority>("-9").unwrap().level(), -9);
        assert!(serde_json::from_str::<Priority>("10").is_err());
    }
}
