//! Files of JSON lines that rotate: bounded in octets and in age, the oldest going whole.
//!
//! Nothing is synced: what is written here explains, it does not promise.

use crate::mail::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Lines are kept in this many files.
const FILES: u64 = 8;

/// How much to keep.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Octets over all files.
    pub size: u64,
    /// No longer than this.
    pub time: Duration,
}

/// The files on disk, the newest open for writing.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    keep: Keep,
    number: u64,
    written: u64,
    out: BufWriter<File>,
}

impl Files {
    pub(super) fn open(folder: &Path, keep: Keep) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = numbers(folder)?.pop().unwrap_or(1);
        let file = append(&path(folder, number))?;
        let written = file.metadata()?.len();
        Ok(Self { folder: folder.to_owned(), keep, number, written, out: BufWriter::new(file) })
    }

    /// Writes a line, which is about this time.
    pub(super) fn write<T: Serialize>(&mut self, what: &T, time: Timestamp) -> io::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.written += line.len() as u64;
        if self.written >= (self.keep.size / FILES).max(4096) { self.rotate(time) } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        self.out.flush()?;
        self.number += 1;
        self.written = 0;
        self.out = BufWriter::new(append(&path(&self.folder, self.number))?);
        for old in numbers(&self.folder)? {
            let path = path(&self.folder, old);
            if old + FILES <= self.number || (old < self.number && self.is_old(&path, now)?) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn is_old(&self, path: &Path, now: Timestamp) -> io::Result<bool> {
        let modified = fs::metadata(path)?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(now.since(Timestamp(0).plus(modified)) > self.keep.time)
    }
}

/// The lines that `wanted` picks, newest first, `limit` or, to the end of a file, a few more.
pub(super) fn find<T: DeserializeOwned>(
    folder: &Path,
    limit: usize,
    wanted: impl Fn(&T) -> bool,
) -> io::Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    for number in numbers(folder)?.into_iter().rev() {
        let file = match File::open(path(folder, number)) {
            // The writer has dropped it in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        found.extend(read(file, &wanted)?.into_iter().rev());
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Opens a file to write behind what it holds. A line that a crash has torn is ended, so that it spoils no other.
fn append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// The lines of one file that `wanted` picks. One torn by a crash, perhaps within a character, is none.
fn read<T: DeserializeOwned>(file: File, wanted: &impl Fn(&T) -> bool) -> io::Result<Vec<T>> {
    let (mut file, mut line, mut found) = (BufReader::new(file), Vec::new(), Vec::new());
    while file.read_until(b'\n', &mut line)? > 0 {
        found.extend(serde_json::from_slice::<T>(&line).ok().filter(wanted));
        line.clear();
    }
    Ok(found)
}

pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for item in fs::read_dir(folder)? {
        let name = item?.file_name();
        numbers.extend(name.to_str().and_then(|n| n.strip_suffix(".jsonl")).and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
