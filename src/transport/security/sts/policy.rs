//! What a policy says (RFC 8461 3.2), and the record that announces one (3.1).

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest time that a policy may be kept, in seconds: about a year (RFC 8461 3.2).
const MAX_AGE: u64 = 31_557_600;
/// More patterns than any domain has.
const PATTERNS_MAX: usize = 200;

/// What is asked of senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Mail goes to hosts of the policy alone, under TLS with their names.
    Enforce,
    /// Mail goes as without a policy; what would have failed is reported.
    Testing,
    /// There is no policy any more.
    None,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What is asked.
    pub mode: Mode,
    /// The hosts: names, or `*.` and a name for one label before it. In lower case.
    pub mx: Vec<String>,
    /// How long it may be kept.
    pub max_age: Duration,
}

impl Policy {
    /// Reads one. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            let (key, value) =
                line.split_once(':').ok_or_else(|| format!("a line without a colon: {}", excerpt(line)))?;
            let value = value.trim();
            match key.trim() {
                // Of several the first counts (RFC 8461 3.2), but for `mx`.
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if mx.len() >= PATTERNS_MAX => return Err("it lists too many hosts".to_owned()),
                "mx" => mx.push(pattern(value)?),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err("it is not of version STSv1".to_owned());
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            other => return Err(format!("its mode is {}", excerpt(other.unwrap_or("missing")))),
        };
        let seconds = max_age.filter(|text| text.len() <= 10).and_then(|text| text.parse::<u64>().ok());
        let seconds =
            seconds.filter(|seconds| *seconds <= MAX_AGE).ok_or("its max_age is no number of seconds up to a year")?;
        if mx.is_empty() && mode != Mode::None {
            return Err("it lists no hosts".to_owned());
        }
        Ok(Self { mode, mx, max_age: Duration::from_secs(seconds) })
    }

    /// Whether a host is among those of the policy (RFC 8461 4.1).
    pub fn lists(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
            None => *pattern == host,
        })
    }
}

fn pattern(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text).trim_end_matches('.');
    match crate::event::host::name::ascii(name) {
        Ok(_) => Ok(text.trim_end_matches('.').to_ascii_lowercase()),
        Err(why) => Err(format!("{} is no host: {why}", excerpt(text))),
    }
}

fn excerpt(text: &str) -> String {
    format!("`{}`", text.chars().filter(|c| !c.is_control()).take(60).collect::<String>())
}

/// The id in the records at `_mta-sts`: none unless exactly one of them is a record of STSv1 (RFC 8461 3.1).
pub(super) fn announced(records: &[String]) -> Option<String> {
    let mut ours = records.iter().filter(|text| text.split(';').next().is_some_and(|tag| tag.trim_end() == "v=STSv1"));
    let (only, None) = (ours.next()?, ours.next()) else { return None };
    let id = only.split(';').skip(1).find_map(|tag| tag.trim().strip_prefix("id="))?;
    let fits = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| id.to_owned())
}
