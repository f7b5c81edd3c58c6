//! What is known of one transaction while it runs.

use super::extension::Offered;
use super::letter::{Errand, Letter};
use super::outcome::{Cause, RcptOutcome, Trouble};
use super::question::Change;
use super::stage::Stage;
use crate::mail::BodyType;
use bytes::BytesMut;
use std::collections::VecDeque;

/// Content over this many octets goes by BDAT where that costs no waiting. A server that has no room for it says so after
/// a chunk, and need not swallow all of it. Small content goes by DATA, which takes as many round trips.
const CHUNKING_FROM: u64 = 64 * 1024;

/// A part of the transaction's envelope dialogue, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Mail,
    Rcpt(usize),
    Data,
}

impl Part {
    pub(super) fn rcpt(self) -> Option<usize> {
        if let Self::Rcpt(index) = self { Some(index) } else { None }
    }

    /// The verb of the command, when content goes like this.
    pub(super) fn verb(self, chunking: bool) -> &'static str {
        match self {
            Self::Mail => "MAIL",
            Self::Rcpt(_) => "RCPT",
            Self::Data if chunking => "BDAT",
            Self::Data => "DATA",
        }
    }
}

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) letter: Letter,
    /// Its recipients are only asked for, and no content follows.
    pub(super) probe: bool,
    /// Whether the transaction has SMTPUTF8.
    pub(super) unicode: bool,
    /// The content goes by BDAT.
    pub(super) chunking: bool,
    /// The next chunk, cut and not yet sent: its octets, and whether it is the last.
    pub(super) cut: Option<(usize, bool)>,
    /// Chunks that were sent and are not answered yet.
    pub(super) chunks: usize,
    /// A chunk was refused: no other may follow (RFC 3030 2).
    pub(super) refused: bool,
    /// What comes next; `None` after DATA.
    pub(super) next: Option<Part>,
    /// What was granted to it, if it has been asked about.
    pub(super) granted: Option<Change>,
    /// Sent and not yet answered.
    pub(super) in_flight: VecDeque<Part>,
    /// The commands of the group that is being gathered.
    pub(super) out: BytesMut,
    /// MAIL was accepted.
    pub(super) mail_accepted: bool,
    /// Recipients that the server accepted and that the end of data has not settled yet.
    pub(super) accepted: VecDeque<usize>,
    /// Settled already.
    outcomes: Vec<Option<RcptOutcome>>,
}

impl Transaction {
    /// Checks a letter against what the server offers. Recipients that it can't reach are settled at once.
    pub(super) fn new(errand: Errand, offered: &Offered, lmtp: bool) -> Self {
        let Errand { letter, probe, granted } = errand;
        let can_unicode = offered.has("SMTPUTF8");
        let needs_unicode = letter.is_international() || letter.recipients.iter().any(|r| r.is_international());
        let for_all = obstacle(&letter, offered).or_else(|| letter.wishes.obstacle(&letter.sender, offered, lmtp));
        let large = letter.size > CHUNKING_FROM && offered.has("PIPELINING");
        let chunking = offered.has("CHUNKING") && (large || letter.body == BodyType::BinaryMime);
        let outcomes = letter
            .recipients
            .iter()
            .map(|r| {
                let own = (r.is_international() && !can_unicode).then_some(Trouble::NeedsSmtpUtf8);
                let trouble = for_all.clone().or(own)?;
                Some(Cause::Trouble { stage: Stage::Mail, trouble }.outcome())
            })
            .collect();
        Self {
            letter,
            probe,
            unicode: can_unicode && needs_unicode,
            chunking,
            cut: None,
            chunks: 0,
            refused: false,
            next: Some(Part::Mail),
            granted,
            in_flight: VecDeque::new(),
            out: BytesMut::new(),
            mail_accepted: false,
            accepted: VecDeque::new(),
            outcomes,
        }
    }

    /// Back to what it began as.
    pub(super) fn into_errand(self) -> Errand {
        Errand { letter: self.letter, probe: self.probe, granted: self.granted }
    }

    /// Whether nobody is left to send to.
    pub(super) fn is_settled(&self) -> bool {
        self.outcomes.iter().all(Option::is_some)
    }

    /// Settles one recipient, unless it is.
    pub(super) fn settle_one(&mut self, index: usize, outcome: RcptOutcome) {
        if let Some(slot @ None) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }

    /// Settles all that are not settled yet.
    pub(super) fn settle_open(&mut self, cause: &Cause) {
        for slot in self.outcomes.iter_mut().filter(|slot| slot.is_none()) {
            *slot = Some(cause.clone().outcome());
        }
    }

    /// The outcomes, once nobody is left to send to.
    pub(super) fn finish(self) -> Vec<RcptOutcome> {
        // Nobody is open here. Should one be, another try is the safe end.
        self.settle(&Cause::Trouble { stage: Stage::Dot, trouble: Trouble::Closed })
    }

    /// Settles all that are not settled yet and gives the outcomes.
    pub(super) fn settle(mut self, cause: &Cause) -> Vec<RcptOutcome> {
        self.settle_open(cause);
        self.outcomes.into_iter().flatten().collect()
    }

    /// What comes after the part that was just sent.
    pub(super) fn advance(&mut self) {
        let from = match self.next {
            Some(Part::Mail) => 0,
            Some(Part::Rcpt(index)) => index + 1,
            Some(Part::Data) | None => {
                self.next = None;
                return;
            }
        };
        let open = self.outcomes.iter().enumerate().skip(from).find(|(_, o)| o.is_none());
        self.next = Some(open.map_or(Part::Data, |(index, _)| Part::Rcpt(index)));
    }

    pub(super) fn stage(&self) -> Stage {
        match self.in_flight.front().copied().or(self.next) {
            Some(Part::Mail) => Stage::Mail,
            Some(Part::Rcpt(_)) => Stage::Rcpt,
            Some(Part::Data) | None => Stage::Data,
        }
    }
}

/// What keeps the letter from everybody at this server.
fn obstacle(letter: &Letter, offered: &Offered) -> Option<Trouble> {
    if letter.is_international() && !offered.has("SMTPUTF8") {
        return Some(Trouble::NeedsSmtpUtf8);
    }
    if letter.body == BodyType::EightBitMime && !offered.has("8BITMIME") {
        return Some(Trouble::NeedsEightBit);
    }
    if letter.body == BodyType::BinaryMime && !offered.takes_binary() {
        return Some(Trouble::NeedsBinary);
    }
    let limit = offered.size_limit()?;
    (letter.size > limit).then_some(Trouble::TooLarge { size: letter.size, limit })
}
