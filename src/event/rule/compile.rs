//! From `when = { … }` to a [`Rule`], with every error at its place.

use super::Rule;
use super::test::{Compare, Key, Number, Pattern, Test};
use crate::config::suggest::suggest;
use crate::config::tree::Field;
use crate::config::{Diagnostics, Node, Span, Value, units, values};
use crate::event::catalogue::{Event, Fact};
use crate::event::files::Files;
use crate::event::glob::Glob;
use crate::mail::Standing;
use std::sync::Arc;

/// The keys, with what must be known for them.
const KEYS: [(&str, Fact); 19] = [
    ("door", Fact::Origin),
    ("listener", Fact::Origin),
    ("role", Fact::Origin),
    ("client", Fact::Origin),
    ("client-name", Fact::Origin),
    ("helo", Fact::Origin),
    ("auth", Fact::Origin),
    ("tls", Fact::Origin),
    ("tls-client", Fact::Origin),
    ("property", Fact::Origin),
    ("sender", Fact::Sender),
    ("recipient", Fact::Recipient),
    ("standing", Fact::Standing),
    ("size", Fact::Size),
    ("header", Fact::Header),
    ("verb", Fact::Verb),
    ("domain", Fact::Domain),
    ("host", Fact::Host),
    ("reply", Fact::Reply),
];
const ATTEMPT: (&str, Fact) = ("attempt", Fact::Attempt);
const STANDINGS: [(&str, Standing); 4] = [
    ("local", Standing::Local),
    ("relay", Standing::Relay),
    ("unknown", Standing::Unknown),
    ("denied", Standing::Denied),
];
const COMBINATORS: [&str; 3] = ["any", "all", "not"];
/// Rules within rules. More is a mistake, and would be a deep recursion.
const DEPTH_MAX: usize = 32;

/// Compiles a rule for a binding to `event`, or for any event. Errors go to `found`; the answer is then to be thrown away.
pub fn compile(when: &Node, event: Option<Event>, files: &mut Files, found: &mut Diagnostics) -> Rule {
    Compiler { event, files, found }.table(when, 0)
}

struct Compiler<'a> {
    event: Option<Event>,
    files: &'a mut Files,
    found: &'a mut Diagnostics,
}

impl Compiler<'_> {
    fn table(&mut self, node: &Node, depth: usize) -> Rule {
        let Some(fields) = node.as_table() else {
            values::wrong_kind(node, "a table of tests such as { sender = \"*@example.com\" }", self.found);
            return Rule::All(Vec::new());
        };
        if depth > DEPTH_MAX {
            self.found.error(node.span, format!("rules are nested more than {DEPTH_MAX} deep"));
            return Rule::All(Vec::new());
        }
        let mut rules: Vec<Rule> = fields.iter().map(|field| self.key(field, depth)).collect();
        match rules.len() {
            1 => rules.remove(0),
            _ => Rule::All(rules),
        }
    }

    fn key(&mut self, field: &Field, depth: usize) -> Rule {
        match field.key.as_str() {
            "all" => Rule::All(self.tables(&field.node, depth)),
            "any" => Rule::Any(self.tables(&field.node, depth)),
            "not" => Rule::Not(Box::new(self.table(&field.node, depth + 1))),
            key => match KEYS.iter().chain([&ATTEMPT]).find(|(name, _)| *name == key) {
                Some((name, fact)) => {
                    self.check_possible(name, *fact, field.key_span);
                    self.any_of(name, &field.node)
                }
                None => {
                    self.unknown(field);
                    Rule::All(Vec::new())
                }
            },
        }
    }

    fn tables(&mut self, node: &Node, depth: usize) -> Vec<Rule> {
        let Some(nodes) = node.as_array() else {
            values::wrong_kind(node, "a list of rules", self.found);
            return Vec::new();
        };
        nodes.iter().map(|n| self.table(n, depth + 1)).collect()
    }

    fn unknown(&mut self, field: &Field) {
        let names = KEYS.iter().chain([&ATTEMPT]).map(|(name, _)| *name).chain(COMBINATORS);
        let near = suggest(&field.key, names).map(|name| format!("did you mean `{name}`?"));
        let error = self.found.error(field.key_span, format!("`{}` is not a key that a rule can test", field.key));
        if let Some(help) = near {
            error.help(help);
        }
    }

    /// A key that is never known at the binding's event is a mistake that would otherwise never show.
    fn check_possible(&mut self, key: &str, fact: Fact, span: Span) {
        let Some(event) = self.event else { return };
        if event.spec().facts.contains(&fact) {
            return;
        }
        let error = self.found.error(span, format!("`{key}` is not known at `{event}`"));
        if let Some(first) = Event::first_with(fact) {
            error.help(format!("the first event at which it is known is `{first}`"));
        }
    }

    /// A test, or a list of which any holds.
    fn any_of(&mut self, key: &'static str, node: &Node) -> Rule {
        match &node.value {
            Value::Array(nodes) => Rule::Any(nodes.iter().filter_map(|n| self.one(key, n)).collect()),
            _ => self.one(key, node).unwrap_or(Rule::All(Vec::new())),
        }
    }

    fn one(&mut self, key: &'static str, node: &Node) -> Option<Rule> {
        let text = |key| move |pattern| Rule::Test(Test::Text(key, pattern));
        match key {
            "door" => self.glob(node).map(text(Key::Door)),
            "listener" => self.glob(node).map(text(Key::Listener)),
            "role" => self.glob(node).map(text(Key::Role)),
            "verb" => self.glob(node).map(text(Key::Verb)),
            "reply" => self.glob(node).map(text(Key::Reply)),
            "domain" => self.glob(node).map(text(Key::Domain)),
            "host" => self.glob(node).map(text(Key::Host)),
            "sender" => self.glob(node).map(text(Key::Sender)),
            "recipient" => self.glob(node).map(text(Key::Recipient)),
            "client-name" => self.glob_or_presence(node).map(text(Key::ClientName)),
            "helo" => self.glob_or_presence(node).map(text(Key::Helo)),
            "auth" => self.glob_or_presence(node).map(text(Key::Auth)),
            "tls" => self.glob_or_presence(node).map(text(Key::Tls)),
            "tls-client" => self.glob_or_presence(node).map(text(Key::TlsClient)),
            "client" => self.client(node).map(Rule::Test),
            "standing" => self.standing(node).map(|s| Rule::Test(Test::Standing(s))),
            "size" => self.count(node, "\">= 1 MiB\"").map(|n| Rule::Test(Test::Size(n))),
            "attempt" => self.count(node, "\">= 3\"").map(|n| Rule::Test(Test::Attempt(n))),
            "header" => self.named(node, "header", |c, name, node| Some(Test::Header(name, c.glob_or_presence(node)?))),
            _ => self.named(node, "property", Self::property),
        }
    }

    /// `{ Name = test }`: every entry must hold.
    fn named(
        &mut self,
        node: &Node,
        what: &str,
        test: impl Fn(&mut Self, String, &Node) -> Option<Test>,
    ) -> Option<Rule> {
        let Some(fields) = node.as_table() else {
            values::wrong_kind(node, &format!("a table of {what} names and tests"), self.found);
            return None;
        };
        let mut rules = Vec::new();
        for field in fields.iter() {
            let any = match &field.node.value {
                Value::Array(nodes) => nodes.iter().collect(),
                _ => vec![&field.node],
            };
            rules.push(Rule::Any(
                any.into_iter().filter_map(|n| test(self, field.key.clone(), n).map(Rule::Test)).collect(),
            ));
        }
        Some(Rule::All(rules))
    }

    fn property(&mut self, name: String, node: &Node) -> Option<Test> {
        if !name.contains('.') {
            self.found
                .error(node.span, format!("`{name}` does not name a property"))
                .help("properties are named `sink.key`");
            return None;
        }
        if let Value::Integer(_) = node.value {
            return Some(Test::PropertyNumber(name, self.number(node, "3")?));
        }
        if node.as_str().is_some_and(|t| comparison(t).is_some()) {
            return Some(Test::PropertyNumber(name, self.number(node, "\">= 3\"")?));
        }
        Some(Test::Property(name, self.glob_or_presence(node)?))
    }

    fn glob(&mut self, node: &Node) -> Option<Pattern> {
        let text = node.as_str();
        match text.map(|t| (t, t.strip_prefix('@'))) {
            Some((_, Some(path))) => self.list(path, node.span).map(Pattern::List),
            Some((text, None)) => Some(Pattern::Glob(Glob::new(text))),
            None => {
                values::wrong_kind(node, "a pattern such as \"*@example.com\"", self.found);
                None
            }
        }
    }

    fn glob_or_presence(&mut self, node: &Node) -> Option<Pattern> {
        match node.value {
            Value::Bool(present) => Some(Pattern::Present(present)),
            _ => self.glob(node),
        }
    }

    fn list(&mut self, path: &str, span: Span) -> Option<Arc<crate::event::list::Patterns>> {
        self.files.patterns(path, span, self.found)
    }

    fn client(&mut self, node: &Node) -> Option<Test> {
        let Some(text) = node.as_str() else {
            values::wrong_kind(node, "a network such as \"192.0.2.0/24\"", self.found);
            return None;
        };
        if let Some(path) = text.strip_prefix('@') {
            return self.files.networks(path, node.span, self.found).map(Test::ClientList);
        }
        match crate::event::networks::parse(text) {
            Ok(net) => Some(Test::Client(net)),
            Err(error) => {
                self.found.error(node.span, format!("`{text}`: {error}"));
                None
            }
        }
    }

    fn standing(&mut self, node: &Node) -> Option<Standing> {
        values::choice(&STANDINGS)(node, self.found)
    }

    /// A number of things, of which there are never fewer than none.
    fn count(&mut self, node: &Node, example: &str) -> Option<Number> {
        let number = self.number(node, example)?;
        if number.with < 0 {
            self.found.error(node.span, format!("expected a comparison such as {example}"));
            return None;
        }
        Some(number)
    }

    fn number(&mut self, node: &Node, example: &str) -> Option<Number> {
        if let Value::Integer(n) = node.value {
            return Some(Number { compare: Compare::Equal, with: n.into() });
        }
        let Some((compare, rest)) = node.as_str().and_then(comparison) else {
            self.found.error(node.span, format!("expected a comparison such as {example}"));
            return None;
        };
        match rest.parse::<i64>().map(i128::from).or_else(|_| units::size(rest).map(i128::from)) {
            Ok(with) => Some(Number { compare, with }),
            Err(_) => {
                self.found
                    .error(node.span, format!("`{rest}` is not a number to compare with"))
                    .help(format!("write it like {example}"));
                None
            }
        }
    }
}

/// The operator at the start of a text, and what follows it.
fn comparison(text: &str) -> Option<(Compare, &str)> {
    let operators = [
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("<", Compare::Less),
        (">", Compare::More),
        ("=", Compare::Equal),
    ];
    operators.iter().find_map(|(op, compare)| text.trim_start().strip_prefix(op).map(|rest| (*compare, rest.trim())))
}
