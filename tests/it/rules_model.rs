//! The rule language and the walk over the bindings once more, as plainly as it can be written: what
//! [`rules`](crate::rules) compares the dispatcher with.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The list files that rules name.
pub(crate) const TEXTS: (&str, &[&str]) = ("texts.txt", &["a.x", "b@*", "<>", "*y"]);
pub(crate) const NETS: (&str, &[&str]) = ("nets.txt", &["192.0.2.0/25", "2001:db8::/32"]);

/// A `when`: all of its clauses must hold.
#[derive(Clone, Debug)]
pub(crate) struct When(pub(crate) Vec<Clause>);

#[derive(Clone, Debug)]
pub(crate) enum Clause {
    /// A key and the tests of which any must hold.
    Key(&'static str, Vec<Test>),
    /// `header` or `property`: each name with its tests.
    Named(&'static str, &'static str, Vec<Test>),
    Any(Vec<When>),
    All(Vec<When>),
    Not(When),
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Glob(String),
    Present(bool),
    Net(&'static str),
    Number(&'static str, u64),
    TextList,
    NetList,
}

impl When {
    /// As it stands in a manifest. Of two clauses with one key, the later counts.
    pub(crate) fn json(&self) -> Value {
        let mut table = serde_json::Map::new();
        for clause in &self.0 {
            let (key, value) = match clause {
                Clause::Key(key, tests) => (*key, tests_json(tests)),
                Clause::Named(key, name, tests) => (*key, json!({ (*name): tests_json(tests) })),
                Clause::Any(whens) => ("any", whens.iter().map(When::json).collect()),
                Clause::All(whens) => ("all", whens.iter().map(When::json).collect()),
                Clause::Not(when) => ("not", when.json()),
            };
            table.insert(key.to_owned(), value);
        }
        table.into()
    }

    /// The clauses that are left when of each key only the last counts.
    pub(crate) fn without_doubles(self) -> Self {
        let name = |clause: &Clause| match clause {
            Clause::Key(key, _) | Clause::Named(key, ..) => *key,
            Clause::Any(_) => "any",
            Clause::All(_) => "all",
            Clause::Not(_) => "not",
        };
        Self(
            self.0
                .into_iter()
                .map(|clause| (name(&clause), clause))
                .collect::<BTreeMap<_, _>>()
                .into_values()
                .collect(),
        )
    }
}

fn tests_json(tests: &[Test]) -> Value {
    let one = |test: &Test| match test {
        Test::Glob(glob) => json!(glob),
        Test::Present(present) => json!(present),
        Test::Net(net) => json!(net),
        Test::Number("", number) => json!(number),
        Test::Number(operator, number) => json!(format!("{operator} {number}")),
        Test::TextList => json!(format!("@{}", TEXTS.0)),
        Test::NetList => json!(format!("@{}", NETS.0)),
    };
    match tests {
        [single] => one(single),
        several => several.iter().map(one).collect(),
    }
}

/// What is known at an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) texts: BTreeMap<&'static str, String>,
    pub(crate) client: Option<IpAddr>,
    /// Path and standing of those that are to be delivered, or of the one at hand; with their index.
    pub(crate) recipients: Vec<(usize, String, &'static str)>,
    pub(crate) size: Option<u64>,
    pub(crate) header: Vec<(String, String)>,
    /// The narrowest bearer first: recipient, message, session.
    pub(crate) properties: [BTreeMap<String, Value>; 3],
}

impl Facts {
    /// Whether the rule holds; for one recipient, if `only` says which.
    pub(crate) fn holds(&self, when: &When, only: Option<usize>) -> bool {
        when.0.iter().all(|clause| match clause {
            Clause::Key(key, tests) => tests.iter().any(|test| self.key_holds(key, test, only)),
            Clause::Named("header", name, tests) => tests.iter().any(|test| self.header_holds(name, test)),
            Clause::Named(_, name, tests) => tests.iter().any(|test| self.property_holds(name, test)),
            Clause::Any(whens) => whens.iter().any(|when| self.holds(when, only)),
            Clause::All(whens) => whens.iter().all(|when| self.holds(when, only)),
            Clause::Not(when) => !self.holds(when, only),
        })
    }

    /// The recipients for which the rule holds.
    pub(crate) fn matched(&self, when: Option<&When>) -> Vec<usize> {
        let all = self.recipients.iter().map(|(index, ..)| *index);
        all.filter(|index| when.is_none_or(|when| self.holds(when, Some(*index)))).collect()
    }

    fn key_holds(&self, key: &str, test: &Test, only: Option<usize>) -> bool {
        let recipients = || self.recipients.iter().filter(|(index, ..)| only.is_none_or(|only| only == *index));
        match (key, test) {
            ("recipient", test) => recipients().any(|(_, path, _)| text_holds(Some(path), test)),
            ("standing", test) => recipients().any(|(.., standing)| text_holds(Some(standing), test)),
            ("client", Test::NetList) => NETS.1.iter().any(|net| self.in_net(net)),
            ("client", Test::Net(net)) => self.in_net(net),
            ("size", Test::Number(operator, number)) => self.size.is_some_and(|size| compares(size, operator, *number)),
            _ => text_holds(self.texts.get(key).map(String::as_str), test),
        }
    }

    /// The rules write `address/bits`, or an address alone.
    fn in_net(&self, net: &str) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => format!("4{:032b}", u32::from(ip)),
            IpAddr::V6(ip) => format!("6{:0128b}", u128::from(ip)),
        };
        let (address, length) = net.split_once('/').unwrap_or((net, "128"));
        let net: String = bits(address.parse().unwrap()).chars().take(1 + length.parse::<usize>().unwrap()).collect();
        self.client.is_some_and(|client| bits(client.to_canonical()).starts_with(&net))
    }

    fn header_holds(&self, name: &str, test: &Test) -> bool {
        let mut values = self.header.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match test {
            Test::Present(wanted) => values.next().is_some() == *wanted,
            test => values.any(|value| text_holds(Some(value), test)),
        }
    }

    fn property_holds(&self, name: &str, test: &Test) -> bool {
        let value = self.properties.iter().find_map(|of_bearer| of_bearer.get(name));
        match (value, test) {
            (Some(Value::Bool(have)), Test::Present(wanted)) => have == wanted,
            (Some(Value::Number(have)), Test::Number(operator, with)) => {
                compares(have.as_u64().unwrap(), operator, *with)
            }
            (_, Test::Number(..)) => false,
            (Some(Value::String(text)), test) => text_holds(Some(text), test),
            (value, test) => text_holds(value.map(Value::to_string).as_deref(), test),
        }
    }
}

fn text_holds(value: Option<&str>, test: &Test) -> bool {
    match (value, test) {
        (value, Test::Present(wanted)) => value.is_some() == *wanted,
        (Some(text), Test::Glob(glob)) => glob_matches(glob, text),
        (Some(text), Test::TextList) => TEXTS.1.iter().any(|glob| glob_matches(glob, text)),
        _ => false,
    }
}

fn compares(value: u64, operator: &str, with: u64) -> bool {
    match operator {
        "<" => value < with,
        "<=" => value <= with,
        ">" => value > with,
        ">=" => value >= with,
        _ => value == with,
    }
}

fn glob_matches(glob: &str, text: &str) -> bool {
    fn walk(glob: &[char], text: &[char]) -> bool {
        match (glob, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|n| walk(rest, &text[n..])),
            (['?', glob @ ..], [_, text @ ..]) => walk(glob, text),
            ([g, glob @ ..], [t, text @ ..]) => g.eq_ignore_ascii_case(t) && walk(glob, text),
            _ => false,
        }
    }
    walk(&glob.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}
