//! The addresses in a To, Cc or Bcc field (RFC 5322 3.4), for doors that take the envelope from the header.
//!
//! Names, comments and groups are left out. What is no address is returned as it stands, for the caller to refuse: a
//! recipient that can't be read must not be dropped.

/// The addresses in a field's value, in order.
pub fn addresses(value: &str) -> Vec<String> {
    let mut list = List::default();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (list.state, c) {
            (State::Comment(_) | State::Quoted, '\\') => list.keep_pair(chars.next()),
            (State::Comment(depth), '(') => list.state = State::Comment(depth + 1),
            (State::Comment(0), ')') => list.state = State::Plain,
            (State::Comment(depth), ')') => list.state = State::Comment(depth - 1),
            (State::Comment(_), _) => {}
            (State::Quoted, _) => {
                list.keep(c);
                list.state = if c == '"' { State::Plain } else { State::Quoted };
            }
            (State::Literal, _) => {
                list.keep(c);
                list.state = if c == ']' { State::Plain } else { State::Literal };
            }
            (State::Plain, '(') => list.state = State::Comment(0),
            (State::Plain, '"' | '[') => {
                list.keep(c);
                list.state = if c == '"' { State::Quoted } else { State::Literal };
            }
            (State::Plain, '<') => list.angle = Some(String::new()),
            (State::Plain, '>') => list.closed = true,
            // The name of a group, or a source route within an angle.
            (State::Plain, ':') => list.text_so_far().clear(),
            (State::Plain, ',') if list.angle.is_none() || list.closed => list.end(),
            (State::Plain, ';') => list.end(),
            (State::Plain, _) => list.keep(c),
        }
    }
    list.end();
    list.found
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Plain,
    Quoted,
    Literal,
    /// Within as many further comments.
    Comment(usize),
}

#[derive(Default)]
struct List {
    state: State,
    found: Vec<String>,
    /// What stands outside of angles: the address itself, or a name.
    text: String,
    angle: Option<String>,
    /// The angle is closed; what follows is not looked at.
    closed: bool,
}

impl List {
    fn text_so_far(&mut self) -> &mut String {
        self.angle.as_mut().unwrap_or(&mut self.text)
    }

    fn keep(&mut self, c: char) {
        if !self.closed {
            self.text_so_far().push(c);
        }
    }

    /// A quoted pair, if it is not in a comment.
    fn keep_pair(&mut self, second: Option<char>) {
        if let (State::Quoted, Some(second)) = (self.state, second) {
            self.keep('\\');
            self.keep(second);
        }
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        let address = self.angle.take().unwrap_or(text);
        let address = address.trim();
        if !address.is_empty() {
            self.found.push(address.to_owned());
        }
        self.closed = false;
        self.state = State::Plain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_in_to_fields() {
        for (value, want) in [
            ("a@b.example", &["a@b.example"][..]),
            ("a@b.example, c@d.example,\t<e@f.example>", &["a@b.example", "c@d.example", "e@f.example"]),
            ("Alice <a@b.example> (home), \"Bob, Jr.\" <c@d.example>", &["a@b.example", "c@d.example"]),
            ("\"a,b\"@c.example, \"q\\\"<\"@d.example", &["\"a,b\"@c.example", "\"q\\\"<\"@d.example"]),
            ("friends: a@b.example, C <c@d.example>;, e@f.example", &["a@b.example", "c@d.example", "e@f.example"]),
            ("undisclosed-recipients:;", &[]),
            ("(a (nested, one) \\) still) a@b.example (x)", &["a@b.example"]),
            ("<@relay.example,@other.example:a@b.example>", &["a@b.example"]),
            ("a@[IPv6:2001:db8::1], root", &["a@[IPv6:2001:db8::1]", "root"]),
            ("Alice Smith", &["Alice Smith"]),
            (", ,", &[]),
            ("<a@b.example", &["a@b.example"]),
        ] {
            assert_eq!(addresses(value), want, "{value}");
        }
    }
}
