//! Follows a message's decoded octets: how many, where the header ends, whether a limit is crossed.
//!
//! What it finds depends on places in the message only, never on how the octets were split over packets. Once the
//! message is lost (refused, or spoiled by a defect) its octets are swallowed and nothing more is found.

use super::defect::Defect;
use super::header_end::HeaderEnd;
use super::limits::Limits;
use super::replies;
use crate::mail::Reply;
use bytes::Bytes;

/// Something that the session must act on, in the order of the octets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Octets for the draft.
    Octets(Bytes),
    /// The header is out: at the blank line, the header limit, or the end. Found once.
    HeaderEnd,
    /// The next octet is over the size limit. Found once.
    Oversize,
}

/// A size limit: octets, and whether a sink has had its say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimit {
    pub(crate) octets: u64,
    pub(crate) settled: bool,
}

#[derive(Debug)]
pub(crate) struct Body {
    /// Octets handed out.
    len: u64,
    /// Octets that came in and were not looked at yet.
    rest: Bytes,
    /// `None` once its end was found.
    header: Option<HeaderEnd>,
    header_max: u64,
    hops_max: usize,
    size: SizeLimit,
    ended: bool,
    refused: Option<Reply>,
    defect: Option<Defect>,
}

impl Body {
    pub(crate) fn new(limits: &Limits, size: SizeLimit) -> Self {
        Self {
            len: 0,
            rest: Bytes::new(),
            header: Some(HeaderEnd::new()),
            header_max: limits.header_size,
            hops_max: limits.hops,
            size,
            ended: false,
            refused: None,
            defect: None,
        }
    }

    /// Octets handed out so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether what comes next may still belong to the header. Once `next` has found all in the octets that were pushed, it is exact.
    pub(crate) fn in_header(&self) -> bool {
        self.header.is_some()
    }

    /// Brings in the next octets. Only when `next` has found all in the ones before.
    pub(crate) fn push(&mut self, run: Bytes) {
        self.rest = run;
    }

    /// No more octets will come.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The octets hold something that no message may have. The first one counts.
    pub(crate) fn spoil(&mut self, defect: Defect) {
        self.defect.get_or_insert(defect);
    }

    /// The message was refused on the way.
    pub(crate) fn refuse(&mut self, reply: Reply) {
        self.refused = Some(reply);
    }

    /// Raises the size limit, once.
    pub(crate) fn raise(&mut self, octets: u64) {
        self.size = SizeLimit { octets, settled: true };
    }

    /// The refusal before the end, where a BDAT chunk can already bring it; a defect waits for the end.
    pub(crate) fn refusal(&self) -> Option<&Reply> {
        self.refused.as_ref()
    }

    /// Whether a defect was seen: the connection must not go on.
    pub(crate) fn is_spoiled(&self) -> bool {
        self.defect.is_some()
    }

    /// The refusal at the end, if the message is lost.
    pub(crate) fn verdict(&self) -> Option<Reply> {
        self.refused.clone().or_else(|| self.defect.map(Defect::reply))
    }

    /// The next finding in what was pushed; `None` when all is looked at.
    pub(crate) fn next(&mut self) -> Option<Found> {
        if self.refused.is_some() || self.defect.is_some() {
            self.rest.clear();
            return None;
        }
        let Some(header) = &mut self.header else {
            return if self.rest.is_empty() { None } else { self.octets() };
        };
        if header.is_blank(&self.rest) || (self.rest.is_empty() && self.ended) {
            return self.header_end();
        }
        if self.rest.is_empty() {
            return None;
        }
        if self.len == self.header_max {
            self.header = None;
            self.refused = Some(replies::HEADER_TOO_BIG);
            return Some(Found::HeaderEnd);
        }
        self.octets()
    }

    fn header_end(&mut self) -> Option<Found> {
        let hops = self.header.take().map_or(0, |h| h.received());
        if hops > self.hops_max {
            self.refused = Some(replies::TOO_MANY_HOPS);
            return self.next();
        }
        Some(Found::HeaderEnd)
    }

    /// As many octets as the limits and the header's end allow.
    fn octets(&mut self) -> Option<Found> {
        if self.len >= self.size.octets {
            return self.oversize();
        }
        let mut room = self.size.octets - self.len;
        if self.header.is_some() {
            room = room.min(self.header_max - self.len);
        }
        let mut n = self.rest.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if let Some(header) = &mut self.header {
            n = header.scan(&self.rest[..n]);
        }
        self.len += n as u64;
        Some(Found::Octets(self.rest.split_to(n)))
    }

    fn oversize(&mut self) -> Option<Found> {
        if self.size.settled {
            self.refused = Some(replies::TOO_BIG);
            return self.next();
        }
        self.size.settled = true;
        Some(Found::Oversize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: SizeLimit = SizeLimit { octets: 1000, settled: false };

    /// Findings with the octets in between joined, for runs of this size. CRLFs are not parted.
    fn findings(
        text: &str,
        limits: &Limits,
        size: SizeLimit,
        run: usize,
        raise: Option<u64>,
    ) -> (Vec<String>, Option<u16>) {
        let mut body = Body::new(limits, size);
        let (mut out, mut text_so_far) = (Vec::new(), String::new());
        let mut rest = text;
        loop {
            match body.next() {
                Some(Found::Octets(octets)) => {
                    assert!(!octets.is_empty());
                    text_so_far.push_str(std::str::from_utf8(&octets).unwrap());
                }
                Some(found) => {
                    out.push(std::mem::take(&mut text_so_far));
                    out.push(format!("{found:?}"));
                    if found == Found::Oversize {
                        match raise {
                            Some(octets) => body.raise(octets),
                            None => body.refuse(replies::TOO_BIG),
                        }
                    }
                }
                None if body.ended => break,
                None if rest.is_empty() => body.end(),
                None => {
                    let mut n = run.min(rest.len());
                    n += usize::from(rest[..n].ends_with('\r'));
                    body.push(Bytes::from(rest[..n].to_owned()));
                    rest = &rest[n..];
                }
            }
        }
        out.push(text_so_far);
        (out, body.verdict().map(|r| r.code()))
    }

    fn check(text: &str, limits: &Limits, size: SizeLimit, raise: Option<u64>, expected: &[&str], code: Option<u16>) {
        for run in 1..=text.len().max(1) {
            let (out, verdict) = findings(text, limits, size, run, raise);
            assert_eq!((out, verdict), (expected.iter().map(|s| s.to_string()).collect(), code), "{text:?} by {run}");
        }
    }

    #[test]
    fn the_header_ends_once() {
        let limits = Limits::default();
        check("A: b\r\n\r\nbody", &limits, OPEN, None, &["A: b\r\n", "HeaderEnd", "\r\nbody"], None);
        check("A: b\r\n", &limits, OPEN, None, &["A: b\r\n", "HeaderEnd", ""], None);
        check("\r\n\r\n", &limits, OPEN, None, &["", "HeaderEnd", "\r\n\r\n"], None);
        check("", &limits, OPEN, None, &["", "HeaderEnd", ""], None);
    }

    #[test]
    fn a_header_may_have_just_its_limit() {
        let limits = Limits { header_size: 6, ..Limits::default() };
        check("A: b\r\n\r\nbody", &limits, OPEN, None, &["A: b\r\n", "HeaderEnd", "\r\nbody"], None);
        check("A: b\r\n", &limits, OPEN, None, &["A: b\r\n", "HeaderEnd", ""], None);
        check("A: bc\r\n\r\nbody", &limits, OPEN, None, &["A: bc\r", "HeaderEnd", ""], Some(552));
        check("A: b\r\nC", &limits, OPEN, None, &["A: b\r\n", "HeaderEnd", ""], Some(552));
    }

    #[test]
    fn too_many_hops_are_refused_unasked() {
        let limits = Limits { hops: 1, ..Limits::default() };
        let once = "Received: a\r\n";
        check(&format!("{once}\r\nx"), &limits, OPEN, None, &[once, "HeaderEnd", "\r\nx"], None);
        check(&format!("{once}{once}\r\nx"), &limits, OPEN, None, &[&once.repeat(2)], Some(554));
    }

    #[test]
    fn size_is_asked_once() {
        let limits = Limits::default();
        let size = SizeLimit { octets: 6, settled: false };
        check("A\r\n\r\nb", &limits, size, None, &["A\r\n", "HeaderEnd", "\r\nb"], None);
        let crossed = ["A\r\n", "HeaderEnd", "\r\nb", "Oversize"];
        check("A\r\n\r\nbcde", &limits, size, None, &[&crossed[..], &[""]].concat(), Some(552));
        check("A\r\n\r\nbcde", &limits, size, Some(9), &[&crossed[..], &["cde"]].concat(), None);
        check("A\r\n\r\nbcdef", &limits, size, Some(8), &[&crossed[..], &["cd"]].concat(), Some(552));
        let settled = SizeLimit { octets: 2, settled: true };
        check("Abc", &limits, settled, None, &["Ab"], Some(552));
    }
}
