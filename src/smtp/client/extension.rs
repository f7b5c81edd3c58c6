//! What a server offers: the lines of its answer to EHLO or LHLO, kept verbatim (RFC 5321 4.1.1.1).

/// The offered extensions. None after HELO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    lines: Vec<String>,
}

impl Offered {
    /// From the lines of the answer, of which the first is the server's name.
    pub fn new(lines: &[String]) -> Self {
        Self { lines: lines.iter().skip(1).cloned().collect() }
    }

    /// The lines after the server's name, as they came.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What follows the keyword on its first line, trimmed; `None` if it is not offered. Case does not matter.
    pub fn get(&self, keyword: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            head.eq_ignore_ascii_case(keyword).then(|| rest.trim())
        })
    }

    /// Whether the keyword is offered.
    pub fn has(&self, keyword: &str) -> bool {
        self.get(keyword).is_some()
    }

    /// Whether binary messages can be sent there: BINARYMIME is of use with CHUNKING alone (RFC 3030 3).
    pub fn takes_binary(&self) -> bool {
        self.has("BINARYMIME") && self.has("CHUNKING")
    }

    /// The largest message that the server takes, in octets; `None` if it does not say (RFC 1870 4).
    pub fn size_limit(&self) -> Option<u64> {
        self.get("SIZE")?.parse().ok().filter(|&limit| limit > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(lines: &[&str]) -> Offered {
        Offered::new(&lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn keywords_are_looked_up_and_kept() {
        let o = offered(&["mx.example at your service", "SIZE 1000", "x-Odd  a B", "pipelining"]);
        assert_eq!(o.lines(), ["SIZE 1000", "x-Odd  a B", "pipelining"]);
        assert_eq!((o.get("X-ODD"), o.get("PIPELINING"), o.get("mx.example")), (Some("a B"), Some(""), None));
        assert!(!o.has("PIPE"));
    }

    #[test]
    fn a_size_that_says_nothing_is_no_limit() {
        for (line, limit) in [("SIZE 5", Some(5)), ("SIZE", None), ("SIZE 0", None), ("SIZE many", None)] {
            assert_eq!(offered(&["x", line]).size_limit(), limit, "{line}");
        }
    }
}
