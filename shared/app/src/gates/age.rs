//! How long people have been asked without an answer.

use std::time::Duration;

use muster_domain::approval::Approval;

use crate::table::{Order, PageRequest, Query};
use crate::{App, Error};

/// How many open approvals one page holds.
const PAGE: u32 = 100;
/// The most pages that one look reads: of more, those that end first count.
const MAX_PAGES: usize = 5;

impl App {
    /// How long ago the oldest open approval was asked; zero if there is none.
    pub(crate) async fn oldest_asked(&self) -> Result<Duration, Error> {
        let query = Query::OpenApprovals { team: None };
        let (mut oldest, mut after) = (Duration::ZERO, None);
        for _ in 0..MAX_PAGES {
            let request = PageRequest { limit: PAGE, order: Order::Ascending, after };
            let page = self.table.query(&query, &request).await?;
            for stored in page.records {
                let approval: Approval = stored.typed()?.value;
                oldest = oldest.max(self.clock.now().since(approval.asked_at));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(oldest)
    }
}
