//! What was decided about an event so far: a log of parts, to which each delivery adds what is missing (C4).

use std::collections::BTreeSet;

use muster_domain::ids::WorkflowId;
use muster_domain::time::Time;
use muster_domain::workflow::why_part::Decided;
use muster_domain::workflow::{WhyPart, why};

use super::Occasion;
use crate::table::{Order, PageRequest, Query};
use crate::{App, Error};

/// How many parts one page holds.
const PAGE: u32 = 100;

/// The log of one event, as it was read. Empty is what nearly every event finds, so nobody reads before the first try: its
/// condition tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// The number that the next part gets.
    next: u32,
    /// When all of it expires; `None` if nothing in it counts any more.
    expires_at: Option<Time>,
    decided: BTreeSet<WorkflowId>,
}

impl Log {
    pub(super) fn decides(&self, workflow: &WorkflowId) -> bool {
        self.decided.contains(workflow)
    }

    /// The next part, after which the log goes on. It expires with those before, so that none outlives the first.
    pub(super) fn next_part(&mut self, occasion: &Occasion<'_>, decided: Decided, now: Time) -> WhyPart {
        let part = self.next;
        self.next = part.saturating_add(1);
        let expires_at = *self.expires_at.get_or_insert_with(|| now.plus(why::KEPT_FOR));
        WhyPart {
            event: occasion.key.clone(),
            event_at: occasion.at,
            incident: occasion.incident.id.clone(),
            part,
            at: now,
            expires_at,
            decided,
        }
    }

    /// Takes in a part that was read. One that has expired only keeps its number.
    fn add(&mut self, part: &WhyPart, now: Time) {
        self.next = part.part.saturating_add(1);
        if part.expires_at > now {
            self.expires_at = Some(part.expires_at);
            self.decided.extend(part.workflows().cloned());
        }
    }
}

impl App {
    pub(super) async fn log_of(&self, occasion: &Occasion<'_>) -> Result<Log, Error> {
        let (incident, event) = (occasion.incident.id.clone(), occasion.key.clone());
        let query = Query::DecisionsOfEvent { incident, at: occasion.at, event };
        let now = self.clock.now();
        let (mut log, mut after) = (Log::default(), None);
        loop {
            let request = PageRequest { limit: PAGE, order: Order::Ascending, after };
            let page = self.table.query(&query, &request).await?;
            for stored in page.records {
                log.add(&stored.typed::<WhyPart>()?.value, now);
            }
            after = page.next;
            if after.is_none() {
                return Ok(log);
            }
        }
    }
}
