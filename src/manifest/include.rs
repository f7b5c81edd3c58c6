//! Which files an `include` pattern means.
//!
//! `*` and `?` stand for characters within one name of the path; a name that begins with a dot is matched only by a
//! pattern that does. Answers are sorted by name, so that the order never depends on the disk.

use crate::config::diagnostic::io_text;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files that a pattern means. A path without `*` and `?` means itself, whether it is there or not. A folder that
/// can't be read is an error, in words; one that has no such file is not.
pub(super) fn expand(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths = vec![PathBuf::new()];
    for component in pattern.components() {
        match component {
            Component::Normal(name) if is_pattern(&name.to_string_lossy()) => {
                paths = step(&paths, &name.to_string_lossy())?;
            }
            other => paths.iter_mut().for_each(|path| path.push(other)),
        }
    }
    if is_pattern(&pattern.to_string_lossy()) {
        paths.retain(|path| path.is_file());
    }
    Ok(paths)
}

/// Everything in these folders whose name matches.
fn step(folders: &[PathBuf], pattern: &str) -> Result<Vec<PathBuf>, String> {
    let mut matching = Vec::new();
    for folder in folders.iter().filter(|f| !f.is_file()) {
        let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let told = |e: std::io::Error| format!("cannot read the folder `{}`: {}", place.display(), io_text(&e));
        for entry in fs::read_dir(place).map_err(told)? {
            let name = entry.map_err(told)?.file_name();
            if matches(pattern, &name.to_string_lossy()) {
                matching.push(folder.join(name));
            }
        }
    }
    matching.sort();
    Ok(matching)
}

/// Whether two paths lead to one file, by whatever links.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The names of a folder are short and its patterns the operator's own, so going back to the last `*` is cheap enough.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => (p, n) = (p + 1, n + 1),
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_a_shell_does() {
        for (pattern, name, want) in [
            ("*.toml", "a.toml", true),
            ("*.toml", "a.toml~", false),
            ("*.toml", ".a.toml", false),
            (".*", ".a", true),
            ("?-*", "1-x", true),
            ("?-*", "é-", true),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axbxbx", false),
            ("*", "", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_sorted_from_every_matching_folder() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b/2.toml", "b/1.toml", "a/3.toml", "a/3.txt", "x"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir(dir.path().join("a/dir.toml")).unwrap();
        let names = |pattern: &str| {
            let files = expand(&dir.path().join(pattern)).unwrap();
            files.iter().map(|f| f.strip_prefix(dir.path()).unwrap().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("*/*.toml"), ["a/3.toml", "b/1.toml", "b/2.toml"]);
        assert_eq!(names("a/none*"), [""; 0]);
        assert_eq!(names("not-there.toml"), ["not-there.toml"]);
        assert!(expand(&dir.path().join("nowhere/*.toml")).is_err());
    }
}
