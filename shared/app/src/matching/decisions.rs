//! Reading what was decided about the events of an incident (C4).
//!
//! One entry is one event and one workflow, though those of one event are stored together: a page may end within a part, and
//! the next one goes on there. Parts never change, so a place in one stays where it is.

use muster_domain::ids::IncidentId;
use muster_domain::workflow::{WhyPart, WhyRecord};
use serde::{Deserialize, Serialize};

use crate::paging::{List, Paging, cursor_of, place_of};
use crate::table::{Order, PageRequest, PartPlace, Query};
use crate::{App, Caller, Error};

/// How many parts are read at once, and how often for one page.
const PARTS: u32 = 8;
const MAX_READS: usize = 12;

/// An entry of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    part: PartPlace,
    /// How many entries of the part come before.
    before: usize,
}

impl App {
    /// What was decided for the events of an incident, the newest event first, for whoever may read the incident.
    pub async fn decisions_of_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        paging: &Paging,
    ) -> Result<List<WhyRecord>, Error> {
        self.incident(caller, id).await?;
        let scope = ("decisions", id);
        let from = paging.cursor.as_deref().map(|cursor| place_of::<Place>(&scope, cursor)).transpose()?;
        let wanted = usize::try_from(paging.limit).unwrap_or(usize::MAX);
        let mut page = DecisionsPage { items: Vec::new(), wanted, next: from };
        self.fill(id, &mut page).await?;
        Ok(List { items: page.items, next: page.next.map(|next| cursor_of(&scope, &next)) })
    }

    async fn fill(&self, id: &IncidentId, page: &mut DecisionsPage) -> Result<(), Error> {
        let up_to = page.next.as_ref().map(|place| place.part.clone());
        let query = Query::DecisionsOfIncident { incident: id.clone(), up_to };
        let now = self.clock.now();
        let mut after = None;
        for _ in 0..MAX_READS {
            let request = PageRequest { limit: PARTS, order: Order::Descending, after };
            let read = self.table.query(&query, &request).await?;
            for stored in read.records {
                let part = stored.typed::<WhyPart>()?.value;
                // Engines collect what has expired days late.
                let records = part.records().filter(|record| record.expires_at > now).collect();
                if page.add(&part, records) == Filled::Wholly {
                    return Ok(());
                }
            }
            after = read.next;
            if after.is_none() {
                page.next = None;
                return Ok(());
            }
        }
        Ok(())
    }
}

/// One page as it fills.
struct DecisionsPage {
    items: Vec<WhyRecord>,
    wanted: usize,
    /// Where the next entry stands.
    next: Option<Place>,
}

#[derive(PartialEq, Eq)]
enum Filled {
    Partly,
    /// There is an entry more than the page holds.
    Wholly,
}

impl DecisionsPage {
    fn add(&mut self, part: &WhyPart, records: Vec<WhyRecord>) -> Filled {
        let place = PartPlace { at: part.event_at, event: part.event.clone(), part: part.part };
        let shown = self.next.take().filter(|next| next.part == place).map_or(0, |next| next.before);
        let room = self.wanted - self.items.len();
        let left = records.len().saturating_sub(shown);
        let before = shown + left.min(room);
        self.items.extend(records.into_iter().skip(shown).take(room));
        self.next = Some(Place { part: place, before });
        if left > room { Filled::Wholly } else { Filled::Partly }
    }
}
