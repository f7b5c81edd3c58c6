//! Lines cut out of a stream: only CRLF ends one, the packets don't matter, and what stays behind is below the limit.
//!
//! An input is the limit above the least, the sizes of packets, and the stream.

use super::input::{Input, packets};
use bytes::BytesMut;
use mailsluice::smtp::line::{Framer, LineFaultKind};

/// The least limit: octets of a faulty line that are kept.
const START: usize = 16;

/// A line, or what is wrong with it and how it begins.
type Line = Result<Vec<u8>, (LineFaultKind, Vec<u8>)>;

pub(super) fn line(data: &[u8]) {
    let mut input = Input(data);
    let (limit, sizes) = (START + usize::from(input.octet()), packets(input.octet()));
    let expected = naive(input.0, limit);
    for sizes in [&[input.0.len()][..], &[1], &sizes] {
        assert_eq!(cut(input.0, limit, sizes), expected, "in packets of {sizes:?}");
    }
}

/// The lines, up to a TLS handshake, and what is left.
fn cut(mut stream: &[u8], limit: usize, sizes: &[usize]) -> (Vec<Line>, usize) {
    let (mut framer, mut input, mut lines) = (Framer::default(), BytesMut::new(), Vec::new());
    for size in sizes.iter().cycle() {
        let (packet, rest) = stream.split_at((*size).min(stream.len()));
        if packet.is_empty() {
            break;
        }
        input.extend_from_slice(packet);
        stream = rest;
        while let Some(line) = framer.next(&mut input, limit) {
            let is_tls = matches!(&line, Err(fault) if fault.kind == LineFaultKind::Tls);
            lines.push(line.map(|line| line.to_vec()).map_err(|fault| (fault.kind, fault.start.to_vec())));
            if is_tls {
                return (lines, 0);
            }
        }
        assert!(input.len() < limit, "{} octets are held, the limit is {limit}", input.len());
    }
    (lines, input.len())
}

/// The same by looking at all of it.
fn naive(stream: &[u8], limit: usize) -> (Vec<Line>, usize) {
    let mut lines = Vec::new();
    for line in stream.split_inclusive(|octet| *octet == b'\n') {
        let start = line[..line.len().min(START)].to_vec();
        if line.starts_with(b"\x16\x03") {
            lines.push(Err((LineFaultKind::Tls, Vec::new())));
            return (lines, 0);
        }
        if !line.ends_with(b"\n") {
            return (lines, if line.len() < limit { line.len() } else { 0 });
        }
        lines.push(match line.strip_suffix(b"\r\n") {
            _ if line.len() > limit => Err((LineFaultKind::TooLong, start)),
            Some(text) => Ok(text.to_vec()),
            None => Err((LineFaultKind::BareLf, start)),
        });
    }
    (lines, 0)
}
