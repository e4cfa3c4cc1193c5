//! Storing why-records (C4).

use muster_domain::workflow::WhyRecord;

use crate::table::{CommitError, Write};
use crate::{App, Error};

/// The most records of one commit.
const MOST: usize = 100;

impl App {
    /// Stores records that start nothing. One that an earlier delivery stored stays as it is.
    pub(super) async fn explain(&self, records: Vec<WhyRecord>) -> Result<(), Error> {
        let writes: Vec<Write> = records.into_iter().map(Write::create).collect();
        for some in writes.chunks(MOST) {
            self.explain_some(some.to_vec()).await?;
        }
        Ok(())
    }

    async fn explain_some(&self, mut writes: Vec<Write>) -> Result<(), Error> {
        while !writes.is_empty() {
            let keys = match self.table.commit(writes.clone()).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict { keys }) => keys,
                Err(CommitError::Table(error)) => return Err(error.into()),
            };
            let before = writes.len();
            writes.retain(|write| !keys.contains(&write.key()));
            if writes.len() == before {
                return Err(Error::Contention);
            }
        }
        Ok(())
    }
}
