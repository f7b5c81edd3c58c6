//! When the authority is asked: reckoned by the wall clock alone, so that neither a restart nor a suspended machine loses the time.

use crate::mail::Timestamp;
use crate::tls::Kept;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// After a failure the first pause is so long; each that follows is twice as long.
const FIRST: Duration = Duration::from_secs(5 * 60);
/// And none is longer, so that there are four tries a day at least, and ten on the first.
const LAST: Duration = Duration::from_secs(6 * 3600);
/// What an authority asks for is granted up to this.
const PATIENCE: Duration = Duration::from_secs(7 * 86_400);

/// How long a success is left alone at least, whatever the certificate says.
pub(super) const REST: Duration = MINUTE;

/// When a certificate ends.
pub(super) fn end(kept: &Kept) -> Timestamp {
    seconds(kept.not_after)
}

/// When a certificate is to be renewed: `before` its end, or for the last third of its life; in its first half it never is.
pub(super) fn renewal(kept: &Kept, before: Option<Duration>) -> Timestamp {
    let (start, end) = (seconds(kept.not_before), end(kept));
    let life = end.since(start);
    let before = before.unwrap_or(life / 3).min(life / 2);
    start.plus(life.saturating_sub(before))
}

/// When to try again after so many failures in a row, with what the authority asks for.
pub(super) fn after_failure(now: Timestamp, failures: u32, asked: Option<Timestamp>) -> Timestamp {
    let doublings = failures.saturating_sub(1).min(16);
    let own = now.plus(FIRST.saturating_mul(1 << doublings).min(LAST));
    asked.map_or(own, |asked| own.max(asked.min(now.plus(PATIENCE))))
}

fn seconds(time: i64) -> Timestamp {
    Timestamp(u64::try_from(time).unwrap_or(0).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn kept(from: u64, to: u64) -> Kept {
        Kept { names: Vec::new(), not_before: (from * DAY) as i64, not_after: (to * DAY) as i64 }
    }

    #[test]
    fn a_certificate_is_renewed_for_its_last_third_or_as_said_and_never_in_its_first_half() {
        let day = |n: u64| Timestamp(n * DAY * 1000);
        let days = |n: u64| Some(Duration::from_secs(n * DAY));
        assert_eq!(renewal(&kept(100, 190), None), day(160));
        assert_eq!(renewal(&kept(100, 190), days(10)), day(180));
        assert_eq!(renewal(&kept(100, 106), days(30)), day(103));
        assert_eq!(renewal(&kept(100, 100), None), day(100));
        // What ends before it begins is due at once.
        assert_eq!(renewal(&kept(100, 90), None), day(100));
    }

    #[test]
    fn pauses_grow_to_a_bound_and_the_authority_is_heard() {
        let minutes = |n| after_failure(Timestamp(0), n, None).0 / 60_000;
        assert_eq!([1, 2, 3, 7, 8, 1000].map(minutes), [5, 10, 20, 320, 360, 360]);
        let asked = |seconds: u64| after_failure(Timestamp(0), 1, Some(Timestamp(seconds * 1000))).0 / 1000;
        assert_eq!([asked(10), asked(3600), asked(365 * DAY)], [300, 3600, 7 * DAY]);
        let mut tries = 0;
        let mut now = Timestamp(0);
        while now < Timestamp(DAY * 1000) {
            tries += 1;
            now = after_failure(now, tries, None);
        }
        assert!(tries <= 10, "{tries} tries on the first day");
    }
}
