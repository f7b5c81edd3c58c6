//! Who is due, sorted by where it goes.

use super::Pass;
use crate::intake::track::Stage;
use crate::mail::{EnhancedCode, Fate, Recipient, Reply, ReversePath};
use crate::transport::categorize::{Category, categorize};
use crate::transport::deliver::{NextHop, Pattern};
use crate::transport::end::End;
use crate::transport::outcome::{Details, Outcome};
use crate::transport::route::Route;
use crate::transport::settle::{EXPIRED, Settled};
use crate::transport::wishes;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const NO_FOLDER: Reply = Reply::new(451, EnhancedCode(4, 3, 5), "The mailbox is not set up rightly at the moment");
const REFUSED: Reply = Reply::new(550, EnhancedCode(5, 7, 1), "Refused by local policy");

/// The recipients that share a route, and a reverse-path.
pub(super) struct Group {
    pub(super) route: Route,
    pub(super) sender: ReversePath,
    /// Their place in the envelope, the name of their mailbox, and the domain that was routed.
    pub(super) members: Vec<(usize, String, Arc<str>)>,
}

/// Recipients of one domain and kind, who share what is asked of routers.
struct Kind {
    category: Category,
    /// Place in the envelope, and the name of the mailbox.
    members: Vec<(usize, String)>,
}

/// What comes of the sorting.
#[derive(Default)]
struct Plan {
    groups: Vec<Group>,
    places: HashMap<(Route, String), usize>,
    settled: Vec<Settled>,
}

impl Plan {
    fn add(&mut self, route: &Route, sender: &ReversePath, member: (usize, String, Arc<str>)) {
        let at = *self.places.entry((route.clone(), sender.to_string())).or_insert(self.groups.len());
        match self.groups.get_mut(at) {
            Some(group) => group.members.push(member),
            None => {
                let (route, sender) = (route.clone(), sender.clone());
                self.groups.push(Group { route, sender, members: vec![member] });
            }
        }
    }
}

impl Pass<'_> {
    /// Sorts the recipients that are due by route; those that have none have an end already.
    pub(super) async fn plan(&mut self) -> (Vec<Group>, Vec<Settled>) {
        let mut plan = Plan::default();
        for kind in self.kinds(&mut plan) {
            self.place(kind, &mut plan).await;
        }
        // Those that need no turn go first, while the pass still counts among the others.
        plan.groups.sort_by_key(|group| group.route.0.iter().any(|hop| hop.site().is_some()));
        (plan.groups, plan.settled)
    }

    /// Those that are due and have to be routed, by kind; folders of aliases have their route.
    fn kinds(&self, plan: &mut Plan) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        let mut known: HashMap<(bool, String), usize> = HashMap::new();
        for (index, category) in self.due() {
            let Some(recipient) = self.dossier.entry().envelope.recipients.get(index) else { continue };
            let category = match (category, &recipient.folder) {
                (Err(outcome), _) => {
                    plan.settled.push(Settled::new(index, End::Tried(outcome)));
                    continue;
                }
                (Ok(_), Some(folder)) => {
                    match folder_route(folder) {
                        Err(outcome) => plan.settled.push(Settled::new(index, End::Tried(outcome))),
                        Ok(route) => {
                            plan.add(&route, self.sender_of(recipient), (index, local_part(recipient), Arc::default()));
                        }
                    }
                    continue;
                }
                (Ok(category), None) => category,
            };
            let user = match &category {
                Category::Local(user) => user.name.clone(),
                Category::Remote(_) => local_part(recipient),
            };
            let key = (matches!(category, Category::Local(_)), category.domain().to_owned());
            let at = *known.entry(key).or_insert(kinds.len());
            match kinds.get_mut(at) {
                Some(kind) => kind.members.push((index, user)),
                None => kinds.push(Kind { category, members: vec![(index, user)] }),
            }
        }
        kinds
    }

    /// Routes one kind.
    async fn place(&mut self, kind: Kind, plan: &mut Plan) {
        let Kind { category, members } = kind;
        let domain: Arc<str> = category.domain().into();
        let indices: Vec<usize> = members.iter().map(|(index, _)| *index).collect();
        match self.dossier.route(&category, &indices).await {
            Err(end) => plan.settled.extend(
                indices.into_iter().map(|index| Settled { domain: domain.clone(), ..Settled::new(index, end.clone()) }),
            ),
            Ok(route) => {
                self.dossier.track(Stage::Routed, |step| {
                    (step.domain, step.recipients) = (Some(domain.clone()), Some(indices.len()));
                    step.host = Some(route.to_string().into());
                });
                for (index, user) in members {
                    let Some(recipient) = self.dossier.entry().envelope.recipients.get(index) else { continue };
                    plan.add(&route, self.sender_of(recipient), (index, user, domain.clone()));
                }
            }
        }
    }

    /// Those that are due, and what kind each is.
    fn due(&self) -> Vec<(usize, Result<Category, Outcome>)> {
        let (entry, directory) = (self.dossier.entry(), &self.dossier.snapshot.directory);
        let now = self.pipeline.queue.clock.now();
        let all = entry.envelope.recipients.iter().zip(&entry.recipients).enumerate();
        let released = entry.envelope.hold.is_none_or(|until| until <= now);
        let is_due = |recipient: &Recipient, next| next <= now || (released && self.calls_for(recipient));
        let due =
            all.filter(|(_, (recipient, state))| !state.done && state.held.is_none() && is_due(recipient, state.next));
        let over = wishes::is_over(entry, now);
        let category = |(index, (recipient, _)): (usize, (&Recipient, _))| {
            let category = match refused(recipient) {
                Some(outcome) => Err(outcome),
                None if over => {
                    Err(Outcome::Failed(Details::ours(EXPIRED, "the time that its sender has set is over")))
                }
                None => categorize(directory, recipient, entry.categorized),
            };
            (index, category)
        };
        due.map(category).collect()
    }

    fn sender_of<'r>(&'r self, recipient: &'r Recipient) -> &'r ReversePath {
        crate::transport::reporting::sender_of(&self.dossier.entry().envelope, recipient)
    }
}

/// To the one Maildir of an alias.
fn folder_route(folder: &Path) -> Result<Route, Outcome> {
    let pattern = folder.file_name().and_then(|name| name.to_str()).map(Pattern::exactly);
    match (folder.parent(), pattern) {
        (Some(root), Some(pattern)) => Ok(Route(vec![NextHop::Maildir { root: root.to_owned(), pattern }])),
        _ => {
            let note = format!("the folder `{}` of an alias has a name that can't be used", folder.display());
            Err(Outcome::Deferred(Details::ours(NO_FOLDER, note)))
        }
    }
}

fn local_part(recipient: &Recipient) -> String {
    recipient.path.mailbox().map(|m| m.local().to_owned()).unwrap_or_default()
}

/// Whom a sink has refused when it was too late to tell the client (one reply for all recipients, RFC 5321 4.2): it fails, whether
/// it was refused for now or for good, for the client will not try again.
fn refused(recipient: &Recipient) -> Option<Outcome> {
    let reply = match &recipient.fate {
        Fate::Rejected(reply) | Fate::Deferred(reply) => reply,
        Fate::Accepted | Fate::Discarded | Fate::Held(_) => return None,
    };
    let told = REFUSED.with_text(reply.text());
    Some(Outcome::Failed(Details::ours(told, format!("a sink has refused this recipient: {reply}"))))
}
