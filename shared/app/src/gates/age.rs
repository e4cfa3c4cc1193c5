//! How long people have been asked without an answer.

use std::time::Duration;

use muster_domain::approval::Approval;

use crate::table::{Order, Query};
use crate::{App, Error};

/// The most pages that one look reads: of more, those that end first count.
const MAX_PAGES: usize = 5;

impl App {
    /// How long ago the oldest open approval was asked; zero if there is none.
    pub(crate) async fn oldest_asked(&self) -> Result<Duration, Error> {
        let query = Query::OpenApprovals { team: None };
        let open: Vec<Approval> = self.first_of(&query, Order::Ascending, MAX_PAGES).await?;
        let now = self.clock.now();
        Ok(open.iter().map(|approval| now.since(approval.asked_at)).max().unwrap_or_default())
    }
}
