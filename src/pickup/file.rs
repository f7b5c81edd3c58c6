//! One file of the pickup directory, from its opening to its last octet. It waits for the disk: not for the event loop.
//!
//! Only regular files are opened, and no symbolic link is followed. LF becomes CRLF as the octets come; what else may be wrong
//! with them is judged by intake.

use crate::intake::compose;
use crate::intake::letter::Letter;
use crate::intake::line_ends::LineEnds;
use crate::spool::StoreFault;
use bytes::Bytes;
use nix::fcntl::OFlag;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Octets that are read at a time.
const CHUNK: usize = 64 * 1024;

/// What changes when a file is exchanged or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    pub(super) len: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, i64),
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Self {
        let modified = (meta.mtime(), meta.mtime_nsec());
        Self { device: meta.dev(), inode: meta.ino(), len: meta.len(), modified }
    }

    /// The number of the file in its file system.
    pub(super) fn inode(&self) -> u64 {
        self.inode
    }
}

#[cfg(test)]
impl Stamp {
    pub(super) fn sample(len: u64) -> Self {
        Self { device: 1, inode: 1, len, modified: (0, 0) }
    }
}

/// Why a file's octets did not come.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The file can't be read.
    File(io::Error),
    /// The draft can't be written.
    Draft(StoreFault),
    /// The header has no end within its limit.
    Header,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// An open file.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    stamp: Stamp,
    ends: LineEnds,
    /// Converted, and not handed on yet.
    ahead: Vec<u8>,
    over: bool,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Without waiting: a FIFO may have taken the place of the file.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Self { file, stamp: Stamp::of(&meta), ends: LineEnds::default(), ahead: Vec::new(), over: false })
    }

    /// As it was opened.
    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether nobody has written to it since.
    pub(super) fn unchanged(&self) -> io::Result<bool> {
        Ok(Stamp::of(&self.file.metadata()?) == self.stamp)
    }

    /// The fields at its start, and with them the blank line is gone. To be called first. More than `max` octets are too many.
    pub(super) fn header(&mut self, max: u64) -> Result<Bytes, Trouble> {
        while !self.over && !has_blank_line(&self.ahead) && (self.ahead.len() as u64) <= max {
            self.more()?;
        }
        let len = compose::header_len(&self.ahead);
        // The last line may be cut, so that it looks like something else than it is.
        let whole = memchr::memrchr(b'\n', &self.ahead).map_or(0, |at| at + 1);
        let cut = !self.over && !has_blank_line(&self.ahead) && len >= whole;
        if cut || len as u64 > max {
            return Err(Trouble::Header);
        }
        let mut rest = self.ahead.split_off(len);
        if rest.starts_with(b"\r\n") {
            rest.drain(..2);
        }
        Ok(std::mem::replace(&mut self.ahead, rest).into())
    }

    /// Hands everything else to `letter`, until that has more than `max` octets, which it will refuse.
    pub(super) fn copy(&mut self, letter: &mut Letter, max: u64) -> Result<(), Trouble> {
        loop {
            letter.write(&self.ahead).map_err(Trouble::Draft)?;
            self.ahead.clear();
            if self.over || letter.octets() > max {
                return Ok(());
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        match self.file.read(&mut chunk) {
            Ok(0) => {
                self.ends.end(&mut self.ahead);
                self.over = true;
            }
            Ok(n) => self.ends.convert(chunk.get(..n).unwrap_or_default(), &mut self.ahead),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn has_blank_line(octets: &[u8]) -> bool {
    octets.starts_with(b"\r\n") || memchr::memmem::find(octets, b"\r\n\r\n").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::{MemorySpool, Spool};
    use std::os::unix::fs::symlink;

    fn source(octets: &[u8]) -> Source {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, octets).unwrap();
        Source::open(file.path()).unwrap()
    }

    #[test]
    fn the_header_ends_where_it_ends_and_the_rest_is_body() {
        for (text, header, body) in [
            ("A: b\nC: d\n e\n\nbody\n\nmore", "A: b\r\nC: d\r\n e\r\n", "body\r\n\r\nmore\r\n"),
            ("A: b\r\n\r\nbody\r\n", "A: b\r\n", "body\r\n"),
            ("A: b\nno field\n\n", "A: b\r\n", "no field\r\n\r\n"),
            ("A: b", "A: b\r\n", ""),
            ("\nbody\n", "", "body\r\n"),
            ("", "", ""),
        ] {
            let mut source = source(text.as_bytes());
            assert_eq!(source.header(100).unwrap(), header, "{text:?}");
            let mut letter = Letter::new(MemorySpool::new().draft(), 100);
            source.copy(&mut letter, 1000).unwrap();
            let (message, _) = letter.finish().unwrap();
            assert_eq!(message.content().to_bytes().unwrap(), body, "{text:?}");
        }
    }

    #[test]
    fn a_header_without_end_is_not_gathered_for_ever() {
        let long = "X-Receiver: bob@example.com\n".repeat(10_000);
        for text in [long.clone(), format!("A: {long}"), format!("{long}\nbody")] {
            assert!(matches!(source(text.as_bytes()).header(1000), Err(Trouble::Header)));
        }
        assert_eq!(source(long.as_bytes()).header(1 << 20).unwrap().len(), long.len() + 10_000);
        let mut text = source(&b"no field at all\n".repeat(100_000));
        assert_eq!(text.header(1000).unwrap(), "");
        assert!(text.ahead.len() < 4 * CHUNK);
    }

    #[test]
    fn only_regular_files_and_no_links() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (dir.path().join("file"), dir.path().join("link"), dir.path().join("pipe"));
        std::fs::write(&file, "x").unwrap();
        symlink(&file, &link).unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let source = Source::open(&file).unwrap();
        for other in [link, pipe, dir.path().to_owned()] {
            assert!(Source::open(&other).is_err(), "{}", other.display());
        }
        assert!(source.unchanged().unwrap());
        std::fs::write(&file, "xy").unwrap();
        assert!(!source.unchanged().unwrap());
    }
}
