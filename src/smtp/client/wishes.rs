//! What the sender asks of the message's way, held against what the server offers (RFC 2852 4.1, RFC 6710 4, RFC 8689 4.2).
//!
//! Not here: whether the connection's TLS is good enough. Who drives the connection knows, and must not hand in a letter that
//! requires TLS where it is not.

use super::extension::Offered;
use super::outcome::Trouble;
use crate::mail::{By, ByMode, Priority, ReversePath};
use crate::smtp::wishes::write_by;

/// What goes along with MAIL where the server understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// BY: the time that is left now.
    pub by: Option<By>,
    /// MT-PRIORITY.
    pub priority: Option<Priority>,
    /// REQUIRETLS.
    pub require_tls: bool,
}

impl Wishes {
    /// What a server lacks that the message may not do without. An LMTP server is the end of the way: nothing is asked of it.
    pub(super) fn obstacle(&self, sender: &ReversePath, offered: &Offered, lmtp: bool) -> Option<Trouble> {
        if let Some(By { seconds, mode: ByMode::Return, .. }) = self.by {
            let least = minimum(offered);
            match least {
                _ if seconds <= 0 => return Some(Trouble::TimeIsOver),
                _ if lmtp => {}
                None => return Some(Trouble::NoDeliverBy),
                Some(least) if i64::from(seconds) < least => return Some(Trouble::TooSlow { seconds, least }),
                Some(_) => {}
            }
        }
        // What has the null path is never returned: better that it arrives without than that it is lost (RFC 8689 5).
        let needs_tls = self.require_tls && !lmtp && *sender != ReversePath::Null;
        (needs_tls && !offered.has("REQUIRETLS")).then_some(Trouble::NoRequireTls)
    }

    /// The parameters, each with a space in front.
    pub(super) fn write(&self, offered: &Offered, out: &mut String) {
        if let Some(by) = self.by.filter(|_| offered.has("DELIVERBY")) {
            out.push_str(" BY=");
            out.push_str(&write_by(by));
        }
        if let Some(priority) = self.priority.filter(|_| offered.has("MT-PRIORITY")) {
            out.push_str(&format!(" MT-PRIORITY={priority}"));
        }
        if self.require_tls && offered.has("REQUIRETLS") {
            out.push_str(" REQUIRETLS");
        }
    }
}

/// The least time that the server accepts with `R`, in seconds; none if it does not offer DELIVERBY at all. What can't be read is no
/// minimum.
fn minimum(offered: &Offered) -> Option<i64> {
    let least = offered.get("DELIVERBY")?;
    Some(least.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(lines: &[&str]) -> Offered {
        let lines: Vec<String> = std::iter::once(&"mx").chain(lines).map(|l| (*l).to_owned()).collect();
        Offered::new(&lines)
    }

    fn by(seconds: i32, mode: ByMode) -> Wishes {
        Wishes { by: Some(By { seconds, mode, trace: false }), ..Wishes::default() }
    }

    #[test]
    fn who_wants_it_back_in_time_goes_only_where_that_is_understood() {
        let (sender, all) = (ReversePath::parse("a@x").unwrap(), by(60, ByMode::Return));
        let lacks = |wishes: &Wishes, lines: &[&str], lmtp| wishes.obstacle(&sender, &offered(lines), lmtp);
        assert_eq!(lacks(&all, &[], false), Some(Trouble::NoDeliverBy));
        assert_eq!(lacks(&all, &[], true), None);
        assert_eq!(lacks(&all, &["DELIVERBY"], false), None);
        assert_eq!(lacks(&all, &["DELIVERBY 60"], false), None);
        assert_eq!(lacks(&all, &["DELIVERBY 61"], false), Some(Trouble::TooSlow { seconds: 60, least: 61 }));
        assert_eq!(lacks(&by(0, ByMode::Return), &["DELIVERBY"], true), Some(Trouble::TimeIsOver));
        assert_eq!(lacks(&by(-60, ByMode::Notify), &[], false), None);
    }

    #[test]
    fn tls_is_required_of_who_can_promise_it_but_for_reports() {
        let wishes = Wishes { require_tls: true, ..Wishes::default() };
        let (sender, none) = (ReversePath::parse("a@x").unwrap(), offered(&[]));
        assert_eq!(wishes.obstacle(&sender, &none, false), Some(Trouble::NoRequireTls));
        assert_eq!(wishes.obstacle(&sender, &offered(&["requiretls"]), false), None);
        assert_eq!(wishes.obstacle(&ReversePath::Null, &none, false), None);
        assert_eq!(wishes.obstacle(&sender, &none, true), None);
    }

    #[test]
    fn each_is_written_where_it_is_offered() {
        let wishes = Wishes { priority: Priority::new(-3), require_tls: true, ..by(-9, ByMode::Notify) };
        let text = |lines: &[&str]| {
            let mut out = String::new();
            wishes.write(&offered(lines), &mut out);
            out
        };
        assert_eq!(text(&["DELIVERBY 5", "MT-PRIORITY", "REQUIRETLS"]), " BY=-9;N MT-PRIORITY=-3 REQUIRETLS");
        assert_eq!(text(&["MT-PRIORITY MIXER"]), " MT-PRIORITY=-3");
        assert_eq!(text(&[]), "");
    }
}
