//! Numbers that sinks publish about themselves: counters that only rise, and gauges that are set.
//!
//! They live as long as the process, over reloads, and `status` shows them. Each sink has its own names, so many and no
//! more: a sink that would name a number after each client it sees would fill the memory.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The most names that a sink may use.
pub const NAMES_MAX: usize = 100;
/// The longest name, in octets.
pub const NAME_MAX: usize = 64;

/// The numbers of all sinks.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<Arc<str>, Arc<Share>>>);

impl Metrics {
    /// The part that belongs to `sink`: the same for the same name, over reloads.
    pub fn of(&self, sink: &str) -> MetricsOf {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = all.get(sink) {
            return MetricsOf(share.clone());
        }
        let share = Arc::new(Share::default());
        all.insert(sink.into(), share.clone());
        MetricsOf(share)
    }

    /// What one sink has published, by name.
    pub fn snapshot(&self, sink: &str) -> BTreeMap<String, Sample> {
        let share = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sink).cloned();
        share.map(|share| share.samples()).unwrap_or_default()
    }
}

/// One number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Sample {
    /// It only rises. It stays where it is when it has reached the largest number.
    Counter(u64),
    /// It is set. Finite.
    Gauge(f64),
}

impl From<Sample> for serde_json::Number {
    fn from(sample: Sample) -> Self {
        match sample {
            Sample::Counter(sum) => sum.into(),
            // A gauge is finite.
            Sample::Gauge(value) => Self::from_f64(value).unwrap_or_else(|| 0.into()),
        }
    }
}

/// One sink's own numbers: what a sink is given. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MetricsOf(Arc<Share>);

impl MetricsOf {
    /// Adds to a counter, which begins at zero.
    pub fn add(&self, name: &str, by: u64) -> Result<(), MetricFault> {
        self.0.with(name, Number::counter, |number| match number {
            Number::Counter(sum) => {
                let add = |sum: u64| Some(sum.saturating_add(by));
                // It always gives a number to store.
                let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
                Ok(())
            }
            Number::Gauge(_) => Err(MetricFault::OtherKind(name.into())),
        })
    }

    /// Sets a gauge.
    pub fn set(&self, name: &str, value: f64) -> Result<(), MetricFault> {
        if !value.is_finite() {
            return Err(MetricFault::NotFinite);
        }
        self.0.with(name, Number::gauge, |number| match number {
            Number::Gauge(bits) => {
                bits.store(value.to_bits(), Ordering::Relaxed);
                Ok(())
            }
            Number::Counter(_) => Err(MetricFault::OtherKind(name.into())),
        })
    }
}

/// Why a number was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricFault {
    /// This can't be a name.
    Name(Arc<str>),
    /// The sink has [`NAMES_MAX`] names already.
    TooMany,
    /// The name is that of a number of the other kind.
    OtherKind(Arc<str>),
    /// The value is infinite, or no number.
    NotFinite,
}

impl fmt::Display for MetricFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "`{name}` can't be the name of a metric: it has 1 to {NAME_MAX} of `a` to `z`, digits and `_`"
            ),
            Self::TooMany => {
                write!(f, "the sink has {NAMES_MAX} metrics already: name them by kind, not by client or message")
            }
            Self::OtherKind(name) => write!(f, "the metric `{name}` is a counter in one place and a gauge in another"),
            Self::NotFinite => f.write_str("the value of a gauge must be a finite number"),
        }
    }
}

impl std::error::Error for MetricFault {}

#[derive(Debug, Default)]
struct Share(RwLock<BTreeMap<Box<str>, Number>>);

#[derive(Debug)]
enum Number {
    Counter(AtomicU64),
    /// The bits of an `f64`.
    Gauge(AtomicU64),
}

impl Number {
    fn counter() -> Self {
        Self::Counter(AtomicU64::new(0))
    }

    fn gauge() -> Self {
        Self::Gauge(AtomicU64::new(0))
    }

    fn sample(&self) -> Sample {
        match self {
            Self::Counter(sum) => Sample::Counter(sum.load(Ordering::Relaxed)),
            Self::Gauge(bits) => Sample::Gauge(f64::from_bits(bits.load(Ordering::Relaxed))),
        }
    }
}

impl Share {
    /// Does something with a number, which is made if there is none of that name.
    fn with(
        &self,
        name: &str,
        make: fn() -> Number,
        act: impl FnOnce(&Number) -> Result<(), MetricFault>,
    ) -> Result<(), MetricFault> {
        if let Some(number) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return act(number);
        }
        let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(inner) {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
            return Err(MetricFault::Name(shown.into()));
        }
        let mut numbers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if numbers.len() >= NAMES_MAX && !numbers.contains_key(name) {
            return Err(MetricFault::TooMany);
        }
        act(numbers.entry(name.into()).or_insert_with(make))
    }

    fn samples(&self) -> BTreeMap<String, Sample> {
        let numbers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        numbers.iter().map(|(name, number)| (name.to_string(), number.sample())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_rise_gauges_are_set_and_a_reload_keeps_them() {
        let metrics = Metrics::default();
        metrics.of("a").add("seen", 2).unwrap();
        metrics.of("a").add("seen", 3).unwrap();
        metrics.of("a").set("load", 0.5).unwrap();
        metrics.of("a").set("load", -1.5).unwrap();
        metrics.of("b").add("seen", u64::MAX).unwrap();
        metrics.of("b").add("seen", 1).unwrap();
        let told = |sink| serde_json::to_string(&metrics.snapshot(sink)).unwrap();
        assert_eq!(told("a"), r#"{"load":-1.5,"seen":5}"#);
        assert_eq!(told("b"), r#"{"seen":18446744073709551615}"#);
        assert_eq!(told("c"), "{}");
    }

    #[test]
    fn so_many_names_and_no_more() {
        let of = Metrics::default().of("a");
        for n in 0..NAMES_MAX {
            of.add(&format!("n{n}"), 1).unwrap();
        }
        assert_eq!(of.add("one_more", 1), Err(MetricFault::TooMany));
        assert_eq!(of.set("one_more", 1.0), Err(MetricFault::TooMany));
        of.add("n0", 1).unwrap();
    }

    #[test]
    fn what_cannot_be_published_is_refused() {
        let of = Metrics::default().of("a");
        for name in ["", "A", "a-b", "a b", "ä", "a\n", &"a".repeat(NAME_MAX + 1)] {
            assert!(matches!(of.add(name, 1), Err(MetricFault::Name(_))), "{name:?}");
        }
        of.add(&"a".repeat(NAME_MAX), 1).unwrap();
        for value in [f64::NAN, f64::INFINITY] {
            assert_eq!(of.set("g", value), Err(MetricFault::NotFinite));
        }
        of.set("g", 1.0).unwrap();
        assert_eq!(of.add("g", 1), Err(MetricFault::OtherKind("g".into())));
        assert_eq!(of.set(&"a".repeat(NAME_MAX), 1.0), Err(MetricFault::OtherKind("a".repeat(NAME_MAX).into())));
    }
}
