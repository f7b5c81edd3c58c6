//! A body or a part, read from the server piece by piece.

use crate::Fault;
use crate::seam;
use crate::wit::types::Part;
use std::io::{self, Read};

/// The octets of a body, or of a decoded part: read through by [`Read`], by [`range`](Self::range), or [`whole`](Self::whole).
pub struct Octets<'a> {
    message: Option<&'a seam::Message>,
    part: Option<u32>,
    size: u64,
    position: u64,
}

impl<'a> Octets<'a> {
    pub(super) fn of_body(message: Option<&'a seam::Message>) -> Self {
        Self { message, part: None, size: message.map_or(0, seam::Message::body_size), position: 0 }
    }

    pub(super) fn of_part(message: Option<&'a seam::Message>, part: &Part) -> Self {
        Self { message, part: Some(part.index), size: part.size, position: 0 }
    }

    /// How many octets there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Octets from `offset` on: `length` or 1 MiB of them at most, fewer at the end, none behind it.
    pub fn range(&self, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
        let Some(message) = self.message else { return Ok(Vec::new()) };
        match self.part {
            None => Ok(message.read_body(offset, length)),
            Some(index) => message.read_part(index, offset, length).map_err(Fault::error),
        }
    }

    /// All of it, if it has at most so many octets.
    pub fn whole(&self, at_most: u64) -> Result<Vec<u8>, Fault> {
        if self.size > at_most {
            return Err(Fault::error(format!("{} octets are more than the {at_most} that the sink reads", self.size)));
        }
        let mut all = Vec::new();
        while (all.len() as u64) < self.size {
            let piece = self.range(all.len() as u64, u32::MAX)?;
            if piece.is_empty() {
                break;
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

impl Read for Octets<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let piece = self.range(self.position, length).map_err(|fault| io::Error::other(fault.to_string()))?;
        let got = piece.len().min(buffer.len());
        buffer[..got].copy_from_slice(&piece[..got]);
        self.position += got as u64;
        Ok(got)
    }
}
