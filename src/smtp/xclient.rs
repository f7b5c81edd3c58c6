//! XCLIENT and XFORWARD, as a proxy says them: `NAME=value` pairs, parted by spaces, values in xtext (Postfix's XCLIENT_README and
//! XFORWARD_README).
//!
//! Parsed into values that can't be wrong: a name that is none, an address of another kind or a control character spoils the whole
//! command. Who may say it is not asked here.

use super::xtext;
use crate::mail::Domain;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The EHLO argument that announces XCLIENT.
pub const XCLIENT: &str = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
/// The EHLO argument that announces XFORWARD.
pub const XFORWARD: &str = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// The longest value, decoded, in octets.
const VALUE_MAX: usize = 255;

/// A value, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<T> {
    /// It is this.
    Is(T),
    /// `[UNAVAILABLE]`: there is none.
    Unavailable,
    /// `[TEMPUNAVAIL]`: it could not be found out at present.
    TempUnavailable,
}

impl<T> Told<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unavailable | Self::TempUnavailable => None,
        }
    }
}

/// Which protocol the client speaks to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto {
    /// HELO.
    Smtp,
    /// EHLO.
    Esmtp,
}

/// Where a message came from: SOURCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From this machine or site.
    Local,
    /// From elsewhere.
    Remote,
}

/// What XCLIENT overrides. None: that attribute was not said, and stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xclient {
    /// NAME: the client's name.
    pub name: Option<Told<String>>,
    /// ADDR.
    pub addr: Option<Told<IpAddr>>,
    /// PORT.
    pub port: Option<Told<u16>>,
    /// PROTO.
    pub proto: Option<Proto>,
    /// HELO.
    pub helo: Option<Told<String>>,
    /// LOGIN: the name under which the client authenticated to the proxy.
    pub login: Option<Told<String>>,
    /// DESTADDR: the address that the client connected to.
    pub dest_addr: Option<Told<IpAddr>>,
    /// DESTPORT.
    pub dest_port: Option<Told<u16>>,
}

/// What XFORWARD says. None: that attribute was not said, and stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xforward {
    /// NAME: the name of the upstream client.
    pub name: Option<Told<String>>,
    /// ADDR.
    pub addr: Option<Told<IpAddr>>,
    /// PORT.
    pub port: Option<Told<u16>>,
    /// PROTO.
    pub proto: Option<Told<Proto>>,
    /// HELO.
    pub helo: Option<Told<String>>,
    /// IDENT: the upstream server's id of the message.
    pub ident: Option<Told<String>>,
    /// SOURCE.
    pub source: Option<Told<Source>>,
}

/// Why a command can't be used. The attribute as written, without its value, is told to the client, which is a trusted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAttribute {
    /// There is none.
    Missing,
    /// It is no `NAME=value`.
    Malformed,
    /// It is none of those announced.
    Unknown(String),
    /// Its value can't be.
    Value(&'static str),
    /// It stands there twice.
    Twice(&'static str),
}

impl std::fmt::Display for BadAttribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("Say which attributes, as NAME=value"),
            Self::Malformed => f.write_str("Attributes are NAME=value, parted by spaces"),
            Self::Unknown(name) => write!(f, "Attribute {name} is not known here"),
            Self::Value(name) => write!(f, "{name} can't have this value"),
            Self::Twice(name) => write!(f, "{name} stands there twice"),
        }
    }
}

impl std::error::Error for BadAttribute {}

/// The reader of a command: what both may say, and a row for each attribute that only this one knows, or reads in its own way.
macro_rules! attributes {
    ($command:ident, $told:literal, $($name:literal $field:ident $read:expr;)+) => {
        impl $command {
            #[doc = concat!("Reads what follows ", $told, ".")]
            pub fn parse(argument: &str) -> Result<Self, BadAttribute> {
                let mut it = Self::default();
                for pair in pairs(argument)? {
                    let (name, value) = pair?;
                    match name.as_str() {
                        "NAME" => set(&mut it.name, "NAME", told(&value, host_name))?,
                        "ADDR" => set(&mut it.addr, "ADDR", told(&value, address))?,
                        "PORT" => set(&mut it.port, "PORT", told(&value, port))?,
                        "HELO" => set(&mut it.helo, "HELO", told(&value, hello))?,
                        $($name => set(&mut it.$field, $name, ($read)(&value))?,)+
                        _ => return Err(BadAttribute::Unknown(name)),
                    }
                }
                Ok(it)
            }
        }
    };
}

attributes! { Xclient, "XCLIENT",
    "PROTO" proto proto;
    "LOGIN" login |value: &str| told(value, text);
    "DESTADDR" dest_addr |value: &str| told(value, address);
    "DESTPORT" dest_port |value: &str| told(value, port);
}

attributes! { Xforward, "XFORWARD",
    "PROTO" proto |value: &str| told(value, proto);
    "IDENT" ident |value: &str| told(value, text);
    "SOURCE" source |value: &str| told(value, source);
}

impl Xforward {
    /// Puts what `newer` says over this.
    pub fn take(&mut self, newer: Self) {
        fn over<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        over(&mut self.name, newer.name);
        over(&mut self.addr, newer.addr);
        over(&mut self.port, newer.port);
        over(&mut self.proto, newer.proto);
        over(&mut self.helo, newer.helo);
        over(&mut self.ident, newer.ident);
        over(&mut self.source, newer.source);
    }

    /// The attributes that have a value, by their names in lower case.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        fn of<T>(told: Option<&Told<T>>, text: impl Fn(&T) -> String) -> Option<String> {
            match told {
                Some(Told::Is(value)) => Some(text(value)),
                _ => None,
            }
        }
        let proto = |proto: &Proto| if *proto == Proto::Smtp { "SMTP" } else { "ESMTP" }.to_owned();
        let source = |source: &Source| if *source == Source::Local { "LOCAL" } else { "REMOTE" }.to_owned();
        let all = [
            ("name", of(self.name.as_ref(), String::clone)),
            ("addr", of(self.addr.as_ref(), IpAddr::to_string)),
            ("port", of(self.port.as_ref(), u16::to_string)),
            ("proto", of(self.proto.as_ref(), proto)),
            ("helo", of(self.helo.as_ref(), String::clone)),
            ("ident", of(self.ident.as_ref(), String::clone)),
            ("source", of(self.source.as_ref(), source)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The pairs: names in upper case, values decoded.
fn pairs(argument: &str) -> Result<impl Iterator<Item = Result<(String, String), BadAttribute>>, BadAttribute> {
    if argument.is_empty() {
        return Err(BadAttribute::Missing);
    }
    Ok(argument.split(' ').filter(|word| !word.is_empty()).map(|word| {
        let (name, value) = word.split_once('=').ok_or(BadAttribute::Malformed)?;
        let plain = (1..=16).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic());
        let value = decode(value).filter(|value| (1..=VALUE_MAX).contains(&value.len()));
        if plain { Ok((name.to_ascii_uppercase(), value.unwrap_or_default())) } else { Err(BadAttribute::Malformed) }
    }))
}

/// xtext as it is written today; brackets stand for themselves.
fn decode(value: &str) -> Option<String> {
    xtext::decode(value)
}

fn set<T>(field: &mut Option<T>, name: &'static str, value: Option<T>) -> Result<(), BadAttribute> {
    let value = value.ok_or(BadAttribute::Value(name))?;
    if field.replace(value).is_some() { Err(BadAttribute::Twice(name)) } else { Ok(()) }
}

fn told<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Told<T>> {
    if value.eq_ignore_ascii_case("[UNAVAILABLE]") {
        Some(Told::Unavailable)
    } else if value.eq_ignore_ascii_case("[TEMPUNAVAIL]") {
        Some(Told::TempUnavailable)
    } else {
        read(value).map(Told::Is)
    }
}

/// A name of a host, and no literal.
fn host_name(value: &str) -> Option<String> {
    (!value.starts_with('[') && Domain::parse(value).is_ok()).then(|| value.to_owned())
}

/// `192.0.2.7`, or `IPV6:2001:db8::7`.
fn address(value: &str) -> Option<IpAddr> {
    match value.split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("IPV6:") => rest.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => value.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn port(value: &str) -> Option<u16> {
    value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()))
}

fn proto(value: &str) -> Option<Proto> {
    match value.to_ascii_uppercase().as_str() {
        "SMTP" => Some(Proto::Smtp),
        "ESMTP" => Some(Proto::Esmtp),
        _ => None,
    }
}

fn source(value: &str) -> Option<Source> {
    match value.to_ascii_uppercase().as_str() {
        "LOCAL" => Some(Source::Local),
        "REMOTE" => Some(Source::Remote),
        _ => None,
    }
}

/// What stood behind HELO: printable and in one piece.
fn hello(value: &str) -> Option<String> {
    text(value).filter(|value| !value.contains(' '))
}

/// Printable ASCII: the decoder lets nothing else through.
fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_proxy_may_say() {
        let it = Xclient::parse(
            "name=spike.example ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=[192.0.2.7] LOGIN=al+2Bice DESTADDR=IPV6:2001:db8::1 DESTPORT=25",
        )
        .unwrap();
        let expected = Xclient {
            name: Some(Told::Is("spike.example".into())),
            addr: Some(Told::Is("192.0.2.7".parse().unwrap())),
            port: Some(Told::Is(4711)),
            proto: Some(Proto::Esmtp),
            helo: Some(Told::Is("[192.0.2.7]".into())),
            login: Some(Told::Is("al+ice".into())),
            dest_addr: Some(Told::Is("2001:db8::1".parse().unwrap())),
            dest_port: Some(Told::Is(25)),
        };
        assert_eq!(it, expected);
        let none = Xclient::parse("NAME=[TEMPUNAVAIL] LOGIN=[unavailable]").unwrap();
        assert_eq!((none.name, none.login), (Some(Told::TempUnavailable), Some(Told::Unavailable)));
    }

    #[test]
    fn one_wrong_attribute_spoils_all() {
        use BadAttribute::*;
        for (argument, wrong) in [
            ("", Missing),
            ("NAME", Malformed),
            ("=x", Malformed),
            ("N+41ME=x", Malformed),
            ("FOO=x", Unknown("FOO".into())),
            ("IDENT=x", Unknown("IDENT".into())),
            ("NAME=", Value("NAME")),
            ("NAME=a_b..c", Value("NAME")),
            ("NAME=[192.0.2.7]", Value("NAME")),
            ("NAME=a+0D+0AQUIT", Value("NAME")),
            ("ADDR=2001:db8::7", Value("ADDR")),
            ("ADDR=IPV6:192.0.2.7", Value("ADDR")),
            ("ADDR=192.0.2.256", Value("ADDR")),
            ("ADDR=spike.example", Value("ADDR")),
            ("PORT=65536", Value("PORT")),
            ("PORT=+1", Value("PORT")),
            ("PROTO=LMTP", Value("PROTO")),
            ("PROTO=[UNAVAILABLE]", Value("PROTO")),
            ("HELO=a+20b", Value("HELO")),
            ("LOGIN=+00", Value("LOGIN")),
            ("ADDR=192.0.2.7 ADDR=192.0.2.8", Twice("ADDR")),
        ] {
            assert_eq!(Xclient::parse(argument), Err(wrong), "{argument}");
        }
        assert_eq!(Xclient::parse(&format!("LOGIN={}", "x".repeat(256))), Err(Value("LOGIN")));
        assert_eq!(Xforward::parse("LOGIN=x"), Err(Unknown("LOGIN".into())));
    }

    #[test]
    fn what_is_forwarded_adds_up() {
        let mut all = Xforward::parse("NAME=spike.example ADDR=IPV6:2001:db8::7 PROTO=SMTP SOURCE=REMOTE").unwrap();
        all.take(Xforward::parse("NAME=[UNAVAILABLE] PORT=1 HELO=spike IDENT=4F+2B SOURCE=local").unwrap());
        let facts = all.facts();
        let expected = [
            ("addr", "2001:db8::7"),
            ("port", "1"),
            ("proto", "SMTP"),
            ("helo", "spike"),
            ("ident", "4F+"),
            ("source", "LOCAL"),
        ];
        assert_eq!(facts, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
