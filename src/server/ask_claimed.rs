//! Verbs that sinks claim: what a sink's answer has the machine do, the exchange that may follow, and connections that are turned round.

use super::answer;
use super::ask::Asker;
use super::ask_command::UNANSWERED;
use crate::event::host::{Duplex, Scope, Turned};
use crate::event::{Answer as SinkAnswer, CommandAnswer, Decision, Event, Focus, Further};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::{Answer, OtherCommand};
use std::sync::Arc;

const TOO_LONG: Reply = Reply::new(554, EnhancedCode(5, 5, 0), "The exchange goes on for too long");
/// How often a sink may ask for more within one command.
const STEPS_MAX: u32 = 100;

/// A command of which a sink wants to hear more.
pub(super) struct OpenVerb {
    command: OtherCommand,
    /// The sink.
    sink: Arc<str>,
    /// How often it has heard more.
    step: u32,
}

impl OpenVerb {
    pub(super) fn new(command: OtherCommand) -> Self {
        Self { command, sink: Arc::default(), step: 0 }
    }
}

impl Asker {
    /// What a sink had asked for has come: it alone hears the command again.
    pub(super) async fn more(&mut self, octets: &[u8]) -> Answer {
        let Some(mut open) = self.open_verb.take() else { return answer::lost() };
        open.step += 1;
        let OpenVerb { command, sink, step } = &open;
        let further = Further { sink, step: *step, octets };
        let focus = Focus::Verb { verb: &command.name, argument: &command.argument, further: Some(&further) };
        let decision = self.raise(Event::InCommand, focus).await;
        self.of_claimed(decision, open)
    }

    /// What a decision about a claimed verb has the machine do.
    pub(super) fn of_claimed(&mut self, decision: Decision, open: OpenVerb) -> Answer {
        let decision = match decision {
            Decision::Answer(SinkAnswer::Command(answer)) => answer,
            decision => return answer::of_command(decision, || Answer::Refuse(UNANSWERED)),
        };
        match decision {
            CommandAnswer::Reply(reply) => Answer::Say(reply),
            CommandAnswer::More { .. } if open.step >= STEPS_MAX => Answer::Refuse(TOO_LONG),
            CommandAnswer::More { reply, want } => {
                self.open_verb = self.answered.take().map(|sink| OpenVerb { sink, ..open });
                Answer::More { reply, want }
            }
            CommandAnswer::Turn { reply, domains } => match self.server.turnaround {
                Some(_) => {
                    self.turning = domains.iter().filter_map(|domain| Scope::parse(domain)).collect();
                    Answer::Turn(reply)
                }
                None => Answer::Refuse(UNANSWERED),
            },
            CommandAnswer::Instead(line) => Answer::Instead(line),
        }
    }

    /// Hands the connection over to whoever sends on it, and waits until it is done with.
    pub(super) async fn turn(&mut self, stream: Box<dyn Duplex>) {
        let Some(turnaround) = self.server.turnaround.clone() else { return };
        let (scopes, origin) = (std::mem::take(&mut self.turning), self.origin.clone());
        turnaround.turn(Turned { stream, scopes, session: self.state.id, origin }).await;
    }
}
