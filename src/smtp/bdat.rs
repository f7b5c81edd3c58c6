//! The argument of BDAT (RFC 3030 2): where the chunk ends must be known before anything else.
//!
//! A size that can't be read leaves no way to tell octets from commands; the session ends then.

/// The largest chunk that is believed: 1 TiB.
const CHUNK_MAX: u64 = 1 << 40;

/// `BDAT size [LAST]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bdat {
    /// Octets that follow the line.
    pub size: u64,
    /// What stands after the size.
    pub tail: Tail,
}

/// What stands after the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: more chunks follow.
    More,
    /// LAST: the message ends with this chunk.
    Last,
    /// Something else: an error, but the octets still follow.
    Unknown,
}

impl Bdat {
    /// Parses the argument. `None`: the size is no plain decimal number of a sane value.
    pub fn parse(argument: &str) -> Option<Self> {
        let (size, tail) = argument.split_once(' ').unwrap_or((argument, ""));
        if size.is_empty() || size.len() > 20 || !size.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let size = size.parse().ok().filter(|&n| n <= CHUNK_MAX)?;
        let tail = match tail.trim_matches(' ') {
            "" => Tail::More,
            word if word.eq_ignore_ascii_case("LAST") => Tail::Last,
            _ => Tail::Unknown,
        };
        Some(Self { size, tail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_plain_and_sane() {
        let parse = |text| Bdat::parse(text).map(|b| (b.size, b.tail));
        assert_eq!(parse("0"), Some((0, Tail::More)));
        assert_eq!(parse("12 last"), Some((12, Tail::Last)));
        assert_eq!(parse("12  LAST"), Some((12, Tail::Last)));
        assert_eq!(parse("12 LAST x"), Some((12, Tail::Unknown)));
        assert_eq!(parse("1099511627776"), Some((1 << 40, Tail::More)));
        for bad in [
            "",
            "LAST",
            "-1",
            "+1",
            "0x10",
            "1e3",
            "12LAST",
            "1099511627777",
            "18446744073709551616",
            "99999999999999999999999",
            "٣",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
