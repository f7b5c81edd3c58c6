//! `[[tls-policy]]`, and what `[delivery]` says of TLS: how secure the way to a domain has to be.
//!
//! The policy of a domain is that of the most specific table; without one it is `delivery.tls`. Only `opportunistic` is raised by what
//! the destination publishes, DANE and MTA-STS: the other policies are the operator's last word.

use super::diagnostic::{Diagnostics, io_text};
use super::places::Places;
use super::reader::Table;
use super::route::{self, Pattern};
use super::sources::Span;
use super::tree::Node;
use super::{path, values};
use crate::mail::{Domain, domain::Host};
use crate::smtp::client::TlsPolicy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How secure the ways out have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// `delivery.tls`: for domains without a table of their own. Default: opportunistic.
    pub usual: TlsRule,
    /// `delivery.dane`: TLSA records count. Default: if the name servers hand signatures on; true says that they do, and mail waits
    /// while they do not.
    pub dane: Option<bool>,
    /// `delivery.mta-sts`: policies of MTA-STS are looked for. Default: true.
    pub mta_sts: bool,
    exact: BTreeMap<String, TlsRule>,
    below: BTreeMap<String, TlsRule>,
    any: Option<TlsRule>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRule {
    /// `policy`.
    pub policy: TlsPolicy,
    /// `names`: what certificates may say, in place of the host's name. Only of use for verified.
    pub names: Vec<String>,
    /// `ca`: who may vouch for them, in place of the system's authorities.
    pub ca: Option<Authorities>,
}

/// The certificates of authorities, in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(pub Arc<[Vec<u8>]>);

impl TlsRule {
    fn of(policy: TlsPolicy) -> Self {
        Self { policy, names: Vec::new(), ca: None }
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            usual: TlsRule::of(TlsPolicy::Opportunistic),
            dane: None,
            mta_sts: true,
            exact: BTreeMap::new(),
            below: BTreeMap::new(),
            any: None,
        }
    }
}

impl Outbound {
    /// Reads the keys of `[delivery]`.
    pub(super) fn keys(&mut self, table: &mut Table<'_>, found: &mut Diagnostics) {
        if let Some(policy) = table.get("tls", found, policy) {
            self.usual = TlsRule::of(policy);
        }
        self.dane = table.get("dane", found, values::boolean);
        self.mta_sts = table.get("mta-sts", found, values::boolean).unwrap_or(true);
    }

    /// Reads the tables.
    pub(super) fn tables(&mut self, table: &mut Table<'_>, found: &mut Diagnostics, places: &Places<'_>) {
        let one = |table: &mut Table<'_>, found: &mut Diagnostics| {
            let pattern = table.require("domain", found, |n, f| Some((route::pattern(n, "a policy", f)?, n.span)));
            let policy = table.require("policy", found, policy);
            let names = table.list("names", found, name).unwrap_or_default();
            let ca = table.get("ca", found, |node, found| authorities(node, places, found));
            if policy.is_some_and(|policy| policy != TlsPolicy::Verified) && !(names.is_empty() && ca.is_none()) {
                let told = found.warning(table.span(), "`names` and `ca` mean nothing with this policy");
                told.help("they are for policy = \"verified\"");
            }
            Some((pattern?, TlsRule { policy: policy?, names, ca }))
        };
        for ((pattern, place), rule) in table.tables("tls-policy", found, one).into_iter().flatten() {
            self.add(pattern, place, rule, found);
        }
    }

    fn add(&mut self, pattern: Pattern, place: Span, rule: TlsRule, found: &mut Diagnostics) {
        let before = match pattern {
            Pattern::Exact(name) => self.exact.insert(name, rule),
            Pattern::Below(name) => self.below.insert(name, rule),
            Pattern::Any => self.any.replace(rule),
        };
        if before.is_some() {
            found.error(place, "there is already a policy for this domain").help("remove one of the two");
        }
    }

    /// The rule for a domain, given by its key: that of its own table, else of the longest `*.suffix`, else of `*`, else the usual.
    pub fn find(&self, domain: &str) -> &TlsRule {
        let mut parents = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
        let below = || parents.find_map(|parent| self.below.get(parent));
        self.exact.get(domain).or_else(below).or(self.any.as_ref()).unwrap_or(&self.usual)
    }
}

/// A policy by its name.
pub(super) fn policy(node: &Node, found: &mut Diagnostics) -> Option<TlsPolicy> {
    let text = values::string(node, found)?;
    let policy = text.parse().ok();
    if policy.is_none() {
        let told = found.error(node.span, format!("`{text}` is no TLS policy"));
        told.help("write \"none\", \"opportunistic\", \"required\", \"verified\" or \"dane\"");
    }
    policy
}

/// A name that a certificate may have.
pub(super) fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    let name = Domain::parse(&text).ok().filter(|name| matches!(name.host(), Host::Name(_)));
    if name.is_none() {
        found.error(node.span, format!("`{text}` is not the name of a host")).help("write such as \"mx.example.com\"");
    }
    name.map(|name| name.key().into_owned())
}

/// A file with certificates of authorities, in PEM.
pub(super) fn authorities(node: &Node, places: &Places<'_>, found: &mut Diagnostics) -> Option<Authorities> {
    let file: PathBuf = path::below(places.base, node, found)?;
    places.note(file.clone());
    let read = std::fs::read(&file).map_err(|error| io_text(&error));
    let certificates = read.and_then(|pem| {
        let all: Result<Vec<Vec<u8>>, _> =
            CertificateDer::pem_slice_iter(&pem).map(|c| c.map(|c| c.to_vec())).collect();
        all.map_err(|error| format!("it is no PEM: {error}"))
    });
    let why = match certificates {
        Ok(certificates) if certificates.is_empty() => "there is no certificate in it".to_owned(),
        Ok(certificates) => return Some(Authorities(certificates.into())),
        Err(why) => why,
    };
    let told = found.error(node.span, format!("the certificates in `{}` can't be used: {why}", file.display()));
    told.help("name a file of certificates in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE");
    None
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn parse(text: &str) -> Result<Outbound, String> {
        let text = format!("hostname = 'mx.example'\n[[listener]]\naddress = '127.0.0.1:0'\n{text}");
        let parsed = Settings::parse(std::path::Path::new("f.toml"), &text);
        parsed.map(|(settings, _)| settings.delivery.outbound).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_most_specific_policy_holds() {
        let table = |domain, policy| format!("[[tls-policy]]\ndomain = '{domain}'\npolicy = '{policy}'\n");
        let text = "[delivery]\ntls = 'none'\ndane = true\nmta-sts = false\n".to_owned()
            + &table("*.example", "required")
            + &table("uni.example", "verified")
            + &table("*.uni.example", "dane");
        let outbound = parse(&text).unwrap();
        let policy = |domain| outbound.find(domain).policy;
        assert_eq!(policy("uni.example"), TlsPolicy::Verified);
        assert_eq!(policy("a.uni.example"), TlsPolicy::Dane);
        assert_eq!(policy("b.example"), TlsPolicy::Required);
        assert_eq!(policy("elsewhere"), TlsPolicy::None);
        assert_eq!((outbound.dane, outbound.mta_sts), (Some(true), false));
        assert_eq!(parse("").unwrap(), Outbound::default());
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, told) in [
            ("[delivery]\ntls = 'strict'\n", "`strict` is no TLS policy"),
            (
                "[[tls-policy]]\ndomain = 'x.example'\npolicy = 'none'\n[[tls-policy]]\ndomain = 'x.example'\npolicy = 'none'\n",
                "already a policy",
            ),
            ("[[tls-policy]]\ndomain = 'x.example'\npolicy = 'verified'\nca = 'gone.pem'\n", "can't be used"),
            ("[[tls-policy]]\ndomain = 'x.example'\npolicy = 'verified'\nnames = ['a b']\n", "not the name of a host"),
            ("[delivery]\nsmart-host = { smtp = 'h:25', tls = 'dane' }\n", "DANE is for the hosts"),
            ("[delivery]\nsmart-host = { smtps = 'h:465', tls = 'none' }\n", "`smtps` is TLS"),
            ("[delivery]\nsmart-host = { smtp = 'h:587', user = 'u' }\n", "a user and no password"),
            (
                "[delivery]\nsmart-host = { smtp = 'h:587', user = 'u', password = { secret = 'gone' } }\n",
                "can't be read",
            ),
            (
                "[delivery]\nsmart-host = { smtp = 'h:587', user = 'u', password = 'p', mechanism = 'NTLM' }\n",
                "no mechanism",
            ),
        ] {
            let errors = parse(text).expect_err(text);
            assert!(errors.contains(told), "{text}: {errors}");
        }
    }
}
