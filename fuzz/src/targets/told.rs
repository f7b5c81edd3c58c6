//! What readers of configuration tell: each thing lies in a text and can be printed.

use mailsluice::config::{Diagnostics, Severity};

/// Checks everything that was found. Gives the print.
pub(super) fn told(found: &Diagnostics) -> String {
    for diagnostic in found.iter() {
        let shown = found.render(diagnostic);
        let level = if diagnostic.severity == Severity::Error { "error: " } else { "warning: " };
        assert!(shown.starts_with(level) && !diagnostic.message.is_empty(), "{shown:?}");
        assert!(!shown.contains(|c: char| c != '\n' && c.is_control()), "{shown:?}");
        let Some(span) = diagnostic.span else { continue };
        let text = found.sources.text(span.source);
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(start <= end && end <= text.len(), "{span:?} in {} octets: {shown}", text.len());
        assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{span:?}: {shown}");
        let line = text[..start].matches('\n').count() + 1;
        let (at, column) = found.sources.line_column(span).unwrap_or_default();
        assert!(at == line && column > 0, "{span:?} is at {at}:{column}: {shown}");
    }
    let print = found.to_string();
    assert_eq!(print.is_empty(), found.is_empty());
    print
}

/// Whether a text may name files of this machine, which are no part of an input: a device might be read for ever.
pub(super) fn reaches_out(text: &str) -> bool {
    let roots = ["\"/", "'/", "@/", "\\/", "..", "\\u002f", "\\U0000002f", "\\x2f", "\\u002F", "\\U0000002F", "\\x2F"];
    roots.iter().any(|root| text.contains(root))
}
