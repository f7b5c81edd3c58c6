//! The dispatcher: walks the bindings of an event in order and folds their verdicts into one decision.

use super::binding::{Binding, Place};
use super::call;
use super::catalogue::{COUNT, Event, Kind};
use super::claim::{Met, VerbClaim};
use super::command::Further;
use super::edit::Edits;
use super::fault::Fault;
use super::ledger::LedgerEntry;
use super::notify::{self, Notice};
use super::sink::{Hearing, Needs};
use super::stage::Stage;
use super::transaction::Focus;
use super::verdict::{Decision, Verdict};
use crate::mail::{Origin, Standing};
use std::time::Instant;

/// All bindings in force, by event and in order.
#[derive(Debug)]
pub struct Dispatcher {
    chains: [Vec<Binding>; COUNT],
}

impl Default for Dispatcher {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Dispatcher {
    /// Sorts bindings into their chains: by priority, ties in the order given.
    pub fn new(bindings: Vec<Binding>) -> Self {
        let mut chains = [const { Vec::new() }; COUNT];
        for binding in bindings {
            chains[binding.event as usize].push(binding);
        }
        for chain in &mut chains {
            chain.sort_by_key(|b: &Binding| b.priority);
            for at in 0..chain.len() {
                let (before, rest) = chain.split_at_mut(at);
                if let Some(binding) = rest.first_mut() {
                    let twins =
                        before.iter().filter(|b| b.sink.name == binding.sink.name && b.priority == binding.priority);
                    binding.ordinal = u16::try_from(twins.count()).unwrap_or(u16::MAX);
                }
            }
        }
        Self { chains }
    }

    /// The bindings of an event in the order in which they are called: the one authority.
    pub fn order(&self, event: Event) -> &[Binding] {
        &self.chains[event as usize]
    }

    /// Whether anybody listens. What this costs is all that an event without sinks costs.
    #[inline]
    pub fn hears(&self, event: Event) -> bool {
        !self.chains[event as usize].is_empty()
    }

    /// The claims to verbs that a session from there may come to use, and how it stands to the conditions of each.
    pub fn claims<'d>(&'d self, origin: &'d Origin) -> impl Iterator<Item = (&'d VerbClaim, Met)> {
        let possible = |b: &&Binding| b.rule.as_ref().is_none_or(|rule| rule.possible(origin) != Some(false));
        let claims = self.order(Event::InCommand).iter().filter(possible).flat_map(|b| &b.sink.interest.claims.verbs);
        claims.map(|claim| (claim, claim.conditions.met(origin)))
    }

    /// What must be fetched of a message before the event can be raised.
    pub fn needs(&self, event: Event) -> Needs {
        let mut needs = Needs { header: false, body: false };
        for binding in self.order(event) {
            let by_rule = binding.rule.as_ref().is_some_and(|r| r.tests_header());
            needs.header |= binding.sink.interest.needs.header || by_rule;
            needs.body |= binding.sink.interest.needs.body;
        }
        needs
    }

    /// Raises an event, and returns what the sinks decided. Their edits are on the stage already.
    #[inline]
    pub async fn raise(&self, event: Event, stage: &mut Stage<'_>) -> Decision {
        if self.hears(event) { self.walk(event, None, stage).await } else { Decision::Proceed }
    }

    /// Raises an event again from a place on: behind the binding that has held or split, or at it if the place says so.
    pub async fn resume(&self, event: Event, from: &Place, stage: &mut Stage<'_>) -> Decision {
        self.walk(event, Some(from), stage).await
    }

    /// Tells a notify event to whom it concerns, and waits for nobody.
    pub fn tell(&self, event: Event, stage: &Stage<'_>) {
        debug_assert_eq!(event.spec().kind, Kind::Notify);
        for binding in self.order(event) {
            if applies(binding, event, stage) {
                notify::tell(&binding.sink, Notice::of(event, stage, binding.deadline));
            }
        }
    }

    async fn walk(&self, event: Event, from: Option<&Place>, stage: &mut Stage<'_>) -> Decision {
        let chain = self.order(event);
        let start = from.map_or(0, |place| first_from(chain, place));
        let mut skipping = from.is_some_and(|place| place.skipping);
        let mut since = stage.ledger().is_some().then(Instant::now);
        for binding in &chain[start..] {
            if (skipping && !binding.always) || !applies(binding, event, stage) {
                continue;
            }
            let mut edits = Edits::new();
            // An answer that comes at once is never moved through a future: that is what makes it cheap.
            let answer = match call::hear(&binding.sink, event, binding.rule.as_ref(), stage, &mut edits) {
                Hearing::Now(answer) => answer,
                waiting => match Box::pin(call::wait(&binding.sink, waiting, binding.deadline)).await {
                    Ok((verdict, None)) => Ok(verdict),
                    Ok((verdict, Some(of_its_own))) => {
                        edits = of_its_own;
                        Ok(verdict)
                    }
                    Err(fault) => Err(fault),
                },
            };
            match conclude(binding, event, stage, answer, edits, &mut since) {
                Flow::Next => {}
                Flow::SkipRest => skipping = true,
                Flow::End(mut decision) => {
                    if let Focus::Verb { .. } = &stage.focus {
                        stage.answered = Some(binding.sink.name.clone());
                    }
                    match (&mut decision, stage.split()) {
                        (Decision::Hold { place, .. }, _) => place.skipping = skipping,
                        (_, Some(split)) => {
                            split.at = Place { skipping: skipping || split.at.skipping, ..binding.place() }
                        }
                        _ => {}
                    }
                    return decision;
                }
            }
        }
        Decision::Proceed
    }
}

/// How the walk goes on behind a binding.
enum Flow {
    Next,
    SkipRest,
    End(Decision),
}

/// The index of the binding with which it goes on; if the one of the place is gone, behind where it stood.
fn first_from(chain: &[Binding], place: &Place) -> usize {
    let same = chain.iter().position(|binding| binding.is_at(place));
    let behind = usize::from(!place.again);
    same.map_or_else(|| chain.partition_point(|b| b.priority <= place.priority), |i| i + behind)
}

/// Whether the binding's sink is to be called: its rule holds, a recipient that a guard would refuse is shown only to
/// bindings whose rule names its standing, who has made a message does not hear it, and a delivery is one sink's affair.
#[inline]
fn applies(binding: &Binding, event: Event, stage: &Stage<'_>) -> bool {
    let named = |standing| binding.rule.as_ref().is_some_and(|r| r.names(standing));
    if let Some(standing @ (Standing::Unknown | Standing::Denied)) = stage.standing()
        && !named(standing)
    {
        return false;
    }
    if stage.origin.made.as_ref().is_some_and(|made| made.by == binding.sink.name) {
        return false;
    }
    if let Focus::Delivery { sink, .. } = &stage.focus
        && *sink != &*binding.sink.name
    {
        return false;
    }
    if let Focus::Verb { verb, further, .. } = &stage.focus
        && !hears_verb(binding, stage.origin, verb, *further)
    {
        return false;
    }
    binding.rule.as_ref().is_none_or(|rule| rule.holds(&stage.scene(event, Some(rule))))
}

/// Whether the sink may see what follows the verb: of its own claims one must hold, and what it has asked for is for it alone.
fn hears_verb(binding: &Binding, origin: &Origin, verb: &str, further: Option<&Further<'_>>) -> bool {
    let mut own = binding.sink.interest.claims.verbs.iter().filter(|claim| claim.verb == verb).peekable();
    let held = own.peek().is_none() || own.any(|claim| claim.conditions.met(origin) == Met::Yes);
    held && further.is_none_or(|further| further.sink == &*binding.sink.name)
}

/// Applies edits or fault policy, writes the ledger, and says how the walk goes on.
#[inline]
fn conclude(
    binding: &Binding,
    event: Event,
    stage: &mut Stage<'_>,
    answer: Result<Verdict, Fault>,
    edits: Edits,
    since: &mut Option<Instant>,
) -> Flow {
    if matches!(answer, Ok(Verdict::Next)) && edits.is_empty() {
        binding.sink.breaker.succeeded();
        write(binding, event, stage, since, &Verdict::Next, Vec::new(), None);
        return Flow::Next;
    }
    let (verdict, edits, fault) = match call::settle(&binding.sink, event, stage, answer, edits, binding.on_fault) {
        Ok(returned) => (returned.verdict, returned.edits, None),
        Err(fault) => (Verdict::of_policy(binding.on_fault, &binding.sink.name), Vec::new(), Some(fault)),
    };
    write(binding, event, stage, since, &verdict, edits, fault.as_ref());
    if let Some(split) = stage.split() {
        // What remains goes on when the parts are durable.
        split.at.skipping = matches!(verdict, Verdict::SkipRest);
        return Flow::End(Decision::Proceed);
    }
    match verdict {
        Verdict::Next => Flow::Next,
        Verdict::SkipRest => Flow::SkipRest,
        verdict => verdict.decide(event.spec(), || binding.place()).map_or(Flow::Next, Flow::End),
    }
}

/// Writes the dispatch into the ledger, if there is one. The clock is read once for each call: `since` is when the one
/// before it ended.
#[inline]
fn write(
    binding: &Binding,
    event: Event,
    stage: &mut Stage<'_>,
    since: &mut Option<Instant>,
    verdict: &Verdict,
    edits: Vec<String>,
    fault: Option<&Fault>,
) {
    let Some(since) = since else { return };
    let now = Instant::now();
    let took = now - std::mem::replace(since, now);
    let about = stage.scene(event, None).about();
    if let Some(ledger) = stage.ledger() {
        let entry = LedgerEntry::new(event, binding.sink.name.clone(), verdict, took);
        ledger.push(LedgerEntry { about, edits, fault: fault.map(Fault::to_string), ..entry });
    }
}
