//! What a file name says about a file, and how it hides it.

/// Whether a character shows nothing, or turns the reading direction so that `exe.txt` can be shown for a name that ends in `.exe`.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

const STREAM: &str = "::$data";

/// The extensions of a name in lower case, the last one last. What is hidden is left out, and so are the dots and spaces at the
/// end, which Windows drops: `x.pdf.exe. ` has `pdf` and `exe`.
pub(crate) fn extensions(name: &str) -> Vec<String> {
    let seen: String = name.chars().filter(|c| !hides(*c)).collect();
    let base = seen.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    // The standard stream of a file of NTFS is the file itself.
    let base = match base.len().checked_sub(STREAM.len()).and_then(|at| base.split_at_checked(at)) {
        Some((file, stream)) if stream.eq_ignore_ascii_case(STREAM) => file,
        _ => base,
    };
    base.split('.').skip(1).map(|part| part.trim().to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_found_however_they_hide() {
        for (name, last) in [
            ("x.exe", "exe"),
            ("x.pdf.EXE", "exe"),
            ("x.pdf .exe", "exe"),
            ("x.exe.", "exe"),
            ("x.exe . .", "exe"),
            ("x.e\u{200b}xe", "exe"),
            ("txt.\u{202e}cod.exe", "exe"),
            ("..\\dir.d\\x.exe::$DATA", "exe"),
            ("a::b.exe", "exe"),
            ("archive.tar.gz", "gz"),
        ] {
            assert_eq!(extensions(name).last().map(String::as_str), Some(last), "{name:?}");
        }
        assert!(extensions("exe").is_empty());
        assert_eq!(extensions(".exe"), ["exe"]);
    }
}
