//! Which of the hosts that were looked up are tried, or why none is.

use super::candidate::Candidate;
use super::finding::Finding;
use super::look_up::Exchange;
use super::no_exchange::NoExchange;
use super::notes::Notes;

/// The most addresses of one domain that are used, over all its hosts.
pub(super) const ADDRESSES_MAX: usize = 100;

/// Takes the hosts, the best first, that have addresses and are better than this server. `own` is the preference under which
/// it is named; `implicit` says that there was no MX record.
pub(super) fn choose(
    found: Vec<(Candidate, Finding)>,
    own: Option<u16>,
    implicit: bool,
    notes: &mut Notes,
) -> Result<Vec<Exchange>, NoExchange> {
    let at_our_address = found.iter().find(|(_, finding)| *finding == Finding::Ours).map(|(c, _)| c.preference);
    let own = at_our_address.into_iter().chain(own).min();
    let no_such_domain = implicit && found.iter().all(|(_, finding)| *finding == Finding::Nothing);
    let (mut room, mut unknown, mut chosen) = (ADDRESSES_MAX, false, Vec::new());
    for (Candidate { host, preference }, finding) in found {
        let comes_back = own.is_some_and(|own| preference >= own);
        match finding {
            Finding::Unknown(why) => {
                unknown = true;
                notes.add(format!("{host}: {why}"));
            }
            Finding::Ours => notes.add(format!("{host} (preference {preference}) is this server")),
            Finding::Nothing => notes.add(format!("{host} has no address")),
            Finding::Unusable(why) => notes.add(format!("{host}: {why}")),
            Finding::Usable { .. } if comes_back => notes.add(format!("{host} would send the mail back")),
            Finding::Usable { .. } if room == 0 => {
                notes.add(format!("{host} is left out: the domain has too many addresses"))
            }
            Finding::Usable { mut addresses, secure } => {
                addresses.truncate(room);
                room -= addresses.len();
                chosen.push(Exchange { host, preference, addresses, secure });
            }
        }
    }
    match chosen.is_empty() {
        false => Ok(chosen),
        true if unknown => Err(NoExchange::unknown(notes.to_string())),
        true if own.is_some() => Err(NoExchange::comes_back(notes)),
        true if no_such_domain => Err(NoExchange::no_such_domain(notes)),
        true => Err(NoExchange::nowhere(notes)),
    }
}
