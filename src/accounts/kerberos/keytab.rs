//! Keytabs: whose keys they have. The keys themselves are left alone.
//!
//! The format is MIT Kerberos' version 2, which all others write as well: two octets `5 2`, and entries with their lengths before
//! them, a negative one for a hole.

use std::fmt;
use std::io::Read;
use std::path::Path;

/// The largest file that is read, in octets. A thousand keys take a tenth of it.
const SIZE_MAX: u64 = 1024 * 1024;

/// Why a keytab is of no use.
#[derive(Debug)]
pub enum Fault {
    /// It can't be read.
    Unreadable(std::io::Error),
    /// It is none, or it is broken.
    Malformed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Malformed => f.write_str("it is not a keytab of version 2"),
        }
    }
}

impl std::error::Error for Fault {}

/// The principals whose keys a file has, without their realms: `smtp/mx.example.com`.
pub fn principals(path: &Path) -> Result<Vec<String>, Fault> {
    let mut octets = Vec::new();
    let file = std::fs::File::open(path).map_err(Fault::Unreadable)?;
    file.take(SIZE_MAX + 1).read_to_end(&mut octets).map_err(Fault::Unreadable)?;
    parse(&octets).ok_or(Fault::Malformed)
}

fn parse(octets: &[u8]) -> Option<Vec<String>> {
    let mut rest = octets.strip_prefix(&[5, 2])?;
    let mut names: Vec<String> = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        // A length of nothing ends the file for the library, too.
        if length == 0 {
            break;
        }
        let (entry, after) = after.split_at_checked(usize::try_from(length.unsigned_abs()).ok()?)?;
        if length > 0 {
            let name = name(entry)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        rest = after;
    }
    Some(names)
}

/// How many components, the realm, and the components.
fn name(entry: &[u8]) -> Option<String> {
    let (count, rest) = entry.split_first_chunk::<2>()?;
    let (_, mut rest) = counted(rest)?;
    let mut components = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (component, after) = counted(rest)?;
        components.push(String::from_utf8_lossy(component));
        rest = after;
    }
    Some(components.join("/"))
}

fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry with what follows the name left as noughts.
    fn entry(components: &[&str]) -> Vec<u8> {
        let counted = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
        let mut entry = u16::try_from(components.len()).unwrap().to_be_bytes().to_vec();
        entry.extend(counted("EXAMPLE.COM"));
        entry.extend(components.iter().flat_map(|component| counted(component)));
        entry.extend([0; 20]);
        [&i32::try_from(entry.len()).unwrap().to_be_bytes()[..], &entry].concat()
    }

    #[test]
    fn whose_keys_there_are() {
        let hole = [&(-6_i32).to_be_bytes()[..], &[9; 6]].concat();
        let file = [vec![5, 2], entry(&["smtp", "mx"]), hole, entry(&["smtp", "mx"]), entry(&["host", "mx"])].concat();
        assert_eq!(parse(&file), Some(vec!["smtp/mx".to_owned(), "host/mx".to_owned()]));
        assert_eq!(parse(&[5, 2]), Some(Vec::new()));
        for cut in [0, 1, 9, file.len() - 1] {
            assert_eq!(parse(&file[..cut]), None, "{cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_octets_make_it_panic(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            parse(&[&[5, 2], &octets[..]].concat());
        }
    }
}
