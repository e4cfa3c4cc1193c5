//! What people and receivers do. An interface tries again when somebody was faster, so each of these is one commit.

use std::sync::Arc;

use muster_domain::execution::{Event, Resolution, UndoDecision};
use muster_domain::ids::{StepId, UserId};
use serde_json::Value;

use crate::action::Request;
use crate::protocol::{Commit, Protocol};
use crate::world::{Said, World};

impl Protocol {
    pub(crate) fn ask_for(&self, world: &mut World, request: Request) -> bool {
        let reason = || "reason".to_owned();
        let event = match request {
            Request::Pause => Event::Pause { by: person(), reason: reason() },
            Request::Resume => Event::Resume { by: person() },
            Request::Stop(mode) => Event::Stop { by: person(), mode, reason: reason() },
            Request::Abandon => Event::Abandon { reason: reason() },
            Request::Resolve(resolution) => Event::Resolve { by: person(), resolution, reason: reason() },
            Request::Undo(decision) => Event::Undo { by: person(), decision, reason: reason() },
        };
        if request.disturbs() {
            world.disturb();
        }
        self.changes(world, event)
    }

    pub(crate) fn call_back(&self, world: &mut World, step: StepId, fails: bool) -> bool {
        let error = fails.then(|| "it broke".to_owned());
        self.changes(world, Event::CalledBack { step, error, result: Value::Null })
    }

    /// People decide in the ledger; a worker brings it to the execution later.
    pub(crate) fn say(&self, world: &mut World, gate: &StepId, said: Said) -> bool {
        if said == Said::Withdrawn {
            world.disturb();
        }
        let Some(asked) = world.asked.get_mut(gate) else { return false };
        asked.said = Some(said);
        true
    }

    pub(crate) fn change(&self, world: &mut World) -> bool {
        world.disturb();
        world.changed = !world.changed;
        true
    }

    pub(crate) fn halt(&self, world: &mut World) -> bool {
        world.disturb();
        world.halted = true;
        true
    }

    fn changes(&self, world: &mut World, event: Event) -> bool {
        let seen = Arc::clone(&world.stored);
        matches!(self.commit(world, &seen, event), Commit::Stored(_))
    }
}

impl Request {
    /// Whether nobody has to ask for it.
    const fn disturbs(self) -> bool {
        match self {
            Self::Pause | Self::Stop(_) | Self::Abandon => true,
            Self::Resolve(resolution) => matches!(resolution, Resolution::Resend),
            Self::Undo(decision) => matches!(decision, UndoDecision::Retry),
            Self::Resume => false,
        }
    }
}

pub(crate) fn person() -> UserId {
    "ann".parse().expect("a user's id")
}
