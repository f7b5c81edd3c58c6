//! The parameters of MAIL that say how a message is to travel: HOLDFOR and HOLDUNTIL (RFC 4865 5), BY (RFC 2852 4), MT-PRIORITY (RFC 6710 5).
//!
//! Strict: a number has no more digits than its RFC allows, and a value that can't be meant is none. Whether a wish is granted is for
//! the server to say.

use crate::mail::{By, ByMode, HoldRequest, Priority, Timestamp};

/// The value of HOLDFOR: seconds, at least one.
pub(super) fn hold_for(value: &str) -> Option<HoldRequest> {
    let right = !value.starts_with('0') && is_number(value);
    value.parse().ok().filter(|_| right).map(HoldRequest::For)
}

/// The value of HOLDUNTIL: a date and time of RFC 3339.
pub(super) fn hold_until(value: &str) -> Option<HoldRequest> {
    Timestamp::from_rfc3339(value).map(HoldRequest::Until)
}

/// The value of BY: `by-time ";" by-mode [by-trace]`. Who wants a message back must leave time for it to go.
pub(super) fn by(value: &str) -> Option<By> {
    let (time, mode) = value.split_once(';')?;
    let (negative, digits) = match time.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, time.strip_prefix('+').unwrap_or(time)),
    };
    let seconds: i32 = digits.parse().ok().filter(|_| is_number(digits))?;
    let (mode, trace) = match mode.as_bytes() {
        [mode] => (mode, false),
        [mode, b'T' | b't'] => (mode, true),
        _ => return None,
    };
    let mode = match mode {
        b'N' | b'n' => ByMode::Notify,
        b'R' | b'r' => ByMode::Return,
        _ => return None,
    };
    let seconds = if negative { -seconds } else { seconds };
    (mode == ByMode::Notify || seconds > 0).then_some(By { seconds, mode, trace })
}

/// The value of MT-PRIORITY: from -9 to 9, in one digit.
pub(super) fn priority(value: &str) -> Option<Priority> {
    match value.as_bytes() {
        [b'0'..=b'9'] | [b'-', b'1'..=b'9'] => value.parse().ok().and_then(Priority::new),
        _ => None,
    }
}

/// BY as it is written.
pub(super) fn write_by(by: By) -> String {
    let mode = match by.mode {
        ByMode::Notify => "N",
        ByMode::Return => "R",
    };
    format!("{};{mode}{}", by.seconds, if by.trace { "T" } else { "" })
}

/// One to nine digits.
fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_has_a_time_a_mode_and_a_trace() {
        let yes = |seconds, mode, trace| Some(By { seconds, mode, trace });
        for (value, wanted) in [
            ("120;R", yes(120, ByMode::Return, false)),
            ("+120;rT", yes(120, ByMode::Return, true)),
            ("-999999999;n", yes(-999_999_999, ByMode::Notify, false)),
            ("0;NT", yes(0, ByMode::Notify, true)),
            ("0;R", None),
            ("-1;R", None),
            ("1000000000;N", None),
            ("1;X", None),
            ("1;", None),
            ("1", None),
            (";N", None),
            ("+;N", None),
            ("+-1;N", None),
            ("1;NTT", None),
            ("1;TN", None),
            ("1;Né", None),
        ] {
            assert_eq!(by(value), wanted, "{value}");
            if let Some(wanted) = wanted {
                assert_eq!(by(&write_by(wanted)), Some(wanted));
            }
        }
    }

    #[test]
    fn holds_and_priorities() {
        assert_eq!(hold_for("999999999"), Some(HoldRequest::For(999_999_999)));
        for bad in ["", "0", "01", "+1", "-1", "1000000000", "1s", "1.5"] {
            assert_eq!(hold_for(bad), None, "{bad}");
        }
        assert_eq!(hold_until("1970-01-01T00:00:01Z"), Some(HoldRequest::Until(Timestamp(1000))));
        assert_eq!(hold_until("tomorrow"), None);
        for level in -9..=9 {
            assert_eq!(priority(&level.to_string()).map(Priority::level), Some(level));
        }
        for bad in ["", "-", "10", "-10", "+1", "-0", "00", "1.0", "high"] {
            assert_eq!(priority(bad), None, "{bad}");
        }
    }
}
