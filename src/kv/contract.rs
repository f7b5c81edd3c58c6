//! What every implementation of [`Kv`] must do, run against each of them.

use super::{MemoryKv, Quota, Store};
use crate::event::host::kv::{KEY_MAX, VALUE_MAX};
use crate::event::host::{Kv, KvFault, KvOf, ManualClock};
use crate::mail::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const QUOTA: Quota = Quota { keys: 10, bytes: 200_000 };
const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// An implementation under test, its clock, and one sink's part of it.
struct Rig {
    kv: Arc<dyn Kv>,
    clock: Arc<ManualClock>,
    own: KvOf,
    _dir: Option<tempfile::TempDir>,
}

impl Rig {
    fn new(make: impl FnOnce(Arc<ManualClock>) -> (Arc<dyn Kv>, Option<tempfile::TempDir>)) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(1_700_000_000_000)));
        let (kv, dir) = make(clock.clone());
        Self { own: KvOf::new(kv.clone(), "own"), kv, clock, _dir: dir }
    }

    fn memory() -> Self {
        Self::new(|clock| (Arc::new(MemoryKv::new(clock, QUOTA)), None))
    }

    fn store() -> Self {
        Self::new(|clock| {
            let dir = tempfile::tempdir().unwrap();
            (Arc::new(Store::open(dir.path(), clock, QUOTA).unwrap()), Some(dir))
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        self.own.get(key).unwrap().map(|value| String::from_utf8(value.to_vec()).unwrap())
    }
}

macro_rules! contract {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $rule() { super::$rule(&super::Rig::memory()); })*
        }
        mod store {
            $(#[test] fn $rule() { super::$rule(&super::Rig::store()); })*
        }
    };
}

contract! {
    a_change_is_seen_at_once,
    no_sink_sees_another_s_keys,
    sizes_have_a_limit,
    a_value_whose_time_is_over_is_absent_to_every_call,
    a_counter_keeps_the_time_it_started_with,
    what_is_no_counter_is_left_alone,
    compare_and_set_compares,
    counters_and_swaps_are_one_step,
    the_quota_of_keys_holds,
    the_quota_of_octets_holds,
    what_is_over_makes_room,
}

fn a_change_is_seen_at_once(rig: &Rig) {
    assert_eq!(rig.own.get("a").unwrap(), None);
    for value in [&b"one"[..], b"", b"\0\xff\r\n"] {
        rig.own.set("a", value, None).unwrap();
        assert_eq!(rig.own.get("a").unwrap().as_deref(), Some(value));
        rig.own.flush().unwrap();
        assert_eq!(rig.own.get("a").unwrap().as_deref(), Some(value), "and once it is durable");
    }
    rig.own.remove("a").unwrap();
    assert_eq!(rig.own.get("a").unwrap(), None);
    rig.own.flush().unwrap();
    assert_eq!(rig.own.get("a").unwrap(), None);
    rig.own.remove("a").unwrap();
}

fn no_sink_sees_another_s_keys(rig: &Rig) {
    rig.kv.set("a", "bc", b"1", None).unwrap();
    rig.kv.set("ab", "c", b"2", None).unwrap();
    rig.kv.set("", "", b"3", None).unwrap();
    rig.kv.flush().unwrap();
    rig.kv.remove("ab", "c").unwrap();
    assert_eq!(rig.kv.get("a", "bc").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(rig.kv.get("ab", "c").unwrap(), None);
    assert_eq!(rig.kv.get("", "").unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(rig.kv.get("nobody", "c").unwrap(), None);
}

fn sizes_have_a_limit(rig: &Rig) {
    let (key, value) = ("k".repeat(KEY_MAX), vec![7; VALUE_MAX]);
    rig.own.set(&key, &value, None).unwrap();
    rig.own.flush().unwrap();
    assert_eq!(rig.own.get(&key).unwrap().as_deref(), Some(&value[..]));
    let (long_key, long_value) = ("k".repeat(KEY_MAX + 1), vec![7; VALUE_MAX + 1]);
    let (key_fault, value_fault) = (KvFault::KeyTooLong(KEY_MAX + 1), KvFault::ValueTooLong(VALUE_MAX + 1));
    assert_eq!(rig.own.get(&long_key), Err(key_fault.clone()));
    assert_eq!(rig.own.set(&long_key, b"", None), Err(key_fault.clone()));
    assert_eq!(rig.own.increment(&long_key, 1, None), Err(key_fault));
    assert_eq!(rig.own.set(&key, &long_value, None), Err(value_fault.clone()));
    assert_eq!(rig.own.compare_and_set("a", None, Some(&long_value), None), Err(value_fault));
    assert_eq!(rig.own.get(&key).unwrap().as_deref(), Some(&value[..]), "left as it was");
}

fn a_value_whose_time_is_over_is_absent_to_every_call(rig: &Rig) {
    for durable in [false, true] {
        for key in ["get", "count", "swap", "renewed", "kept"] {
            rig.own.set(key, b"5", MINUTE).unwrap();
        }
        rig.own.set("kept", b"6", None).unwrap();
        if durable {
            rig.own.flush().unwrap();
        }
        rig.clock.advance(Duration::from_millis(59_999));
        assert_eq!(rig.text("get").as_deref(), Some("5"));
        rig.own.set("renewed", b"7", MINUTE).unwrap();
        rig.clock.advance(Duration::from_millis(1));
        assert_eq!(rig.text("get"), None, "durable: {durable}");
        assert_eq!(rig.own.increment("count", 1, None), Ok(1));
        assert_eq!(rig.own.compare_and_set("swap", None, Some(b"new"), None), Ok(true));
        assert_eq!(rig.text("renewed").as_deref(), Some("7"));
        assert_eq!(rig.text("kept").as_deref(), Some("6"));
    }
    rig.own.set("never", b"", Some(Duration::MAX)).unwrap();
    rig.own.set("no time", b"", Some(Duration::ZERO)).unwrap();
    assert_eq!((rig.text("never").is_some(), rig.text("no time").is_some()), (true, false));
}

fn a_counter_keeps_the_time_it_started_with(rig: &Rig) {
    assert_eq!(rig.own.increment("n", 2, MINUTE), Ok(2));
    rig.clock.advance(Duration::from_secs(30));
    assert_eq!(rig.own.increment("n", -5, MINUTE), Ok(-3));
    assert_eq!(rig.text("n").as_deref(), Some("-3"));
    rig.own.flush().unwrap();
    rig.clock.advance(Duration::from_secs(30));
    assert_eq!(rig.own.increment("n", 1, MINUTE), Ok(1), "a new window");
    rig.own.set("n", b"40", None).unwrap();
    assert_eq!(rig.own.increment("n", 2, MINUTE), Ok(42));
    rig.clock.advance(Duration::from_secs(600));
    assert_eq!(rig.text("n").as_deref(), Some("42"), "set without a time");
}

fn what_is_no_counter_is_left_alone(rig: &Rig) {
    for text in ["", "x", "1.5", " 1", "9223372036854775808"] {
        rig.own.set("n", text.as_bytes(), None).unwrap();
        assert_eq!(rig.own.increment("n", 1, None), Err(KvFault::NotACounter), "{text:?}");
        assert_eq!(rig.text("n").as_deref(), Some(text));
    }
    rig.own.set("n", b"\xff", None).unwrap();
    assert_eq!(rig.own.increment("n", 1, None), Err(KvFault::NotACounter));
    for (start, by) in [(i64::MAX, 1), (i64::MIN, -1)] {
        rig.own.remove("n").unwrap();
        assert_eq!(rig.own.increment("n", start, None), Ok(start));
        assert_eq!(rig.own.increment("n", by, None), Err(KvFault::CounterOverflow));
        assert_eq!(rig.text("n"), Some(start.to_string()));
    }
}

fn compare_and_set_compares(rig: &Rig) {
    let swap = |expected: Option<&[u8]>, new: Option<&[u8]>| rig.own.compare_and_set("a", expected, new, None).unwrap();
    assert!(!swap(Some(b""), Some(b"1")), "absent is not empty");
    assert!(swap(None, None));
    assert!(swap(None, Some(b"1")));
    assert!(!swap(None, Some(b"2")));
    assert!(!swap(Some(b"2"), None));
    assert_eq!(rig.text("a").as_deref(), Some("1"));
    rig.own.flush().unwrap();
    assert!(swap(Some(b"1"), Some(b"2")));
    assert_eq!(rig.text("a").as_deref(), Some("2"));
    assert!(swap(Some(b"2"), None));
    assert_eq!(rig.text("a"), None);
}

fn counters_and_swaps_are_one_step(rig: &Rig) {
    const THREADS: i64 = 8;
    const ROUNDS: i64 = 200;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    rig.own.increment("count", 1, None).unwrap();
                    loop {
                        let old = rig.own.get("swap").unwrap();
                        let sum = old.as_ref().map_or(0, |v| std::str::from_utf8(v).unwrap().parse::<i64>().unwrap());
                        let new = (sum + 1).to_string();
                        if rig.own.compare_and_set("swap", old.as_deref(), Some(new.as_bytes()), None).unwrap() {
                            break;
                        }
                    }
                    if round % 50 == 0 {
                        rig.own.flush().unwrap();
                    }
                }
            });
        }
    });
    let all = Some((THREADS * ROUNDS).to_string());
    assert_eq!((rig.text("count"), rig.text("swap")), (all.clone(), all));
}

fn the_quota_of_keys_holds(rig: &Rig) {
    for n in 0..QUOTA.keys {
        rig.own.set(&n.to_string(), b"x", None).unwrap();
    }
    rig.own.flush().unwrap();
    let full = KvFault::TooManyKeys(QUOTA.keys);
    assert_eq!(rig.own.set("more", b"x", None), Err(full.clone()));
    assert_eq!(rig.own.increment("more", 1, None), Err(full.clone()));
    assert_eq!(rig.own.compare_and_set("more", None, Some(b"x"), None), Err(full));
    assert_eq!(rig.own.get("more").unwrap(), None);
    rig.own.set("1", b"other", None).unwrap();
    rig.kv.set("another", "more", b"x", None).unwrap();
    rig.own.remove("2").unwrap();
    rig.own.set("more", b"x", None).unwrap();
}

fn the_quota_of_octets_holds(rig: &Rig) {
    let big = vec![0; 60_000];
    for key in ["1", "2", "3"] {
        rig.own.set(key, &big, None).unwrap();
    }
    rig.own.flush().unwrap();
    assert_eq!(rig.own.set("4", &big, None), Err(KvFault::TooManyBytes(QUOTA.bytes)));
    let left = QUOTA.bytes as usize - 3 * (big.len() + 1);
    assert_eq!(rig.own.set("4", &big[..left], None), Err(KvFault::TooManyBytes(QUOTA.bytes)), "the key counts");
    rig.own.set("4", &big[..left - 1], None).unwrap();
    rig.own.set("3", &big[..1], None).unwrap();
    rig.own.set("5", &big[..50_000], None).unwrap();
}

fn what_is_over_makes_room(rig: &Rig) {
    for durable in [false, true] {
        for n in 0..QUOTA.keys {
            rig.own.set(&format!("{durable} {n}"), b"x", MINUTE).unwrap();
        }
        if durable {
            rig.own.flush().unwrap();
        }
        assert!(rig.own.set("more", b"x", MINUTE).is_err());
        rig.clock.advance(Duration::from_secs(60));
        rig.own.set("more", b"x", MINUTE).unwrap();
        rig.own.remove("more").unwrap();
    }
}

/// A call, on one of few keys.
#[derive(Clone, Debug)]
enum Call {
    Get(u8),
    Set(u8, u16, Option<u8>),
    Remove(u8),
    Increment(u8, i8, Option<u8>),
    Swap(u8, Option<i8>, Option<i8>),
    Pass(u8),
    Flush,
}

fn call() -> impl Strategy<Value = Call> {
    let key = 0u8..14;
    prop_oneof![
        key.clone().prop_map(Call::Get),
        (key.clone(), any::<u16>(), prop::option::of(1u8..)).prop_map(|(k, v, t)| Call::Set(k, v, t)),
        key.clone().prop_map(Call::Remove),
        (key.clone(), any::<i8>(), prop::option::of(1u8..)).prop_map(|(k, v, t)| Call::Increment(k, v, t)),
        (key, prop::option::of(-1i8..2), prop::option::of(-1i8..2)).prop_map(|(k, a, b)| Call::Swap(k, a, b)),
        any::<u8>().prop_map(Call::Pass),
        Just(Call::Flush),
    ]
}

fn answer(rig: &Rig, call: &Call) -> String {
    let (name, secs) = (|k: &u8| format!("key {k}"), |t: &Option<u8>| t.map(|t| Duration::from_secs(t.into())));
    let text = |v: &Option<i8>| v.map(|v| v.to_string());
    match call {
        Call::Get(k) => format!("{:?}", rig.own.get(&name(k))),
        Call::Set(k, v, t) => format!("{:?}", rig.own.set(&name(k), &b"12"[..usize::from(*v) % 3], secs(t))),
        Call::Remove(k) => format!("{:?}", rig.own.remove(&name(k))),
        Call::Increment(k, v, t) => format!("{:?}", rig.own.increment(&name(k), (*v).into(), secs(t))),
        Call::Swap(k, a, b) => {
            let (a, b) = (text(a), text(b));
            let done = rig.own.compare_and_set(
                &name(k),
                a.as_deref().map(str::as_bytes),
                b.as_deref().map(str::as_bytes),
                None,
            );
            format!("{done:?}")
        }
        Call::Pass(s) => {
            rig.clock.advance(Duration::from_secs((*s).into()));
            String::new()
        }
        Call::Flush => format!("{:?}", rig.own.flush()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_store_answers_as_memory_does(calls in prop::collection::vec(call(), 1..120)) {
        let (memory, store) = (Rig::memory(), Rig::store());
        for call in &calls {
            prop_assert_eq!(answer(&memory, call), answer(&store, call), "{:?}", call);
        }
    }
}
