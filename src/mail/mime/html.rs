//! HTML as far as text can be put into it: escaping, and the places at the begin and the end of what is shown.
//!
//! No parser: it looks for tags in the octets, whatever set of characters they are in, as long as ASCII is ASCII
//! there.

/// Plain text as HTML that shows it line for line.
pub(super) fn from_text(text: &str) -> String {
    let mut out = String::from("<div>");
    for (i, line) in text.trim_end_matches(['\r', '\n']).lines().enumerate() {
        if i > 0 {
            out.push_str("<br>\r\n");
        }
        for c in line.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                c => out.push(c),
            }
        }
    }
    out.push_str("</div>");
    out
}

/// HTML with every character that is not ASCII as a reference, which any set of characters can hold.
pub(super) fn to_ascii(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for c in html.chars() {
        if c.is_ascii() { out.push(c) } else { out.push_str(&format!("&#{};", u32::from(c))) }
    }
    out
}

/// Where that begins which is shown: behind `<body>`, or else behind what comes before it.
pub(super) fn front(html: &[u8]) -> usize {
    [&b"<body"[..], b"</head", b"<html", b"<!doctype"]
        .into_iter()
        .find_map(|tag| tags(html, tag).next())
        .map_or(0, |start| tag_end(html, start))
}

/// Where that ends which is shown: before the last `</body>`, or else `</html>`, or else at the end.
pub(super) fn back(html: &[u8]) -> usize {
    [&b"</body"[..], b"</html"].into_iter().find_map(|tag| tags(html, tag).last()).unwrap_or(html.len())
}

/// The places at which a tag begins with this name.
fn tags<'a>(html: &'a [u8], tag: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memchr::memchr_iter(b'<', html).filter(move |&at| {
        let here = html.get(at..at + tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag));
        here && !html.get(at + tag.len()).is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// The place behind the `>` of the tag that begins at `start`; one within quotes does not count.
fn tag_end(html: &[u8], start: usize) -> usize {
    let mut quote = None;
    for (at, &octet) in html.iter().enumerate().skip(start) {
        match (quote, octet) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(q), octet) if q == octet => quote = None,
            _ => {}
        }
    }
    html.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_inside_the_body() {
        for (html, front_at, back_at) in [
            ("<html><BODY class='a>b'>x</BODY></html>", 24, 25),
            ("<html><head><title>t</title></head>x</html>", 35, 36),
            ("<!DOCTYPE html><p>x", 15, 19),
            ("<p>x</p>", 0, 8),
            ("<bodyguard>x", 0, 12),
            ("<body>a</body><pre></body></pre>", 6, 19),
            ("", 0, 0),
            ("<body", 5, 5),
        ] {
            assert_eq!((front(html.as_bytes()), back(html.as_bytes())), (front_at, back_at), "{html}");
        }
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(from_text("a<b>&\"\nc\r\n"), "<div>a&lt;b&gt;&amp;&quot;<br>\r\nc</div>");
        assert_eq!(to_ascii("<p>é</p>"), "<p>&#233;</p>");
    }
}
