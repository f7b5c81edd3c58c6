//! So many messages in a period: `"100/1m"`.

use super::diagnostic::Diagnostics;
use super::tree::Node;
use super::{units, values};
use std::fmt;
use std::time::Duration;

/// A rate that is not exceeded in any period of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages, at least one.
    pub messages: u32,
    /// The period, longer than nothing.
    pub period: Duration,
}

/// For operators.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages in {} s", self.messages, self.period.as_secs_f64())
    }
}

/// A count and a duration with a slash between them.
pub(super) fn rate(node: &Node, found: &mut Diagnostics) -> Option<Rate> {
    let text = values::string(node, found)?;
    let rate = parse(&text);
    if rate.is_none() {
        let told = found.error(node.span, format!("`{text}` is not a rate such as \"100/1m\""));
        told.help(format!("write how many messages, a slash and in which time; units are {}", units::TIME_UNITS));
    }
    rate
}

fn parse(text: &str) -> Option<Rate> {
    let (messages, period) = text.split_once('/')?;
    let digits = !messages.is_empty() && messages.bytes().all(|b| b.is_ascii_digit());
    let messages = messages.parse().ok().filter(|&messages: &u32| digits && messages > 0)?;
    let period = units::duration(period).ok().filter(|period| !period.is_zero())?;
    Some(Rate { messages, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_and_a_duration() {
        let rate = |messages, seconds| Some(Rate { messages, period: Duration::from_secs(seconds) });
        assert_eq!(parse("100/1m"), rate(100, 60));
        assert_eq!(parse("1000/1 h"), rate(1000, 3600));
        for bad in ["", "100", "/1m", "100/", "0/1m", "1/0s", "-1/1m", "+1/1m", "1.5/1m", "100/m", "4294967296/1s"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
