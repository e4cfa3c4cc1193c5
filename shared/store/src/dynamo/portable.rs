//! The DynamoDB table as a whole, to be moved.

use async_trait::async_trait;
use muster_app::table::{CommitError, Expect, TableError};

use super::DynamoTable;
use super::attributes;
use super::failure::classify;
use super::meter::Request;
use crate::items::Item;
use crate::keys::ItemKey;
use crate::portable::{self, PAGE, Portable, Restored, Scanned};
use crate::writes::{Batch, Change};

#[async_trait]
impl Portable for DynamoTable {
    async fn scan(&self, after: Option<&ItemKey>) -> Result<Scanned, TableError> {
        let request = self.client.scan().table_name(&self.name).consistent_read(true);
        let request = request
            .limit(i32::try_from(PAGE).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(attributes::of_key))
            .set_return_consumed_capacity(self.capacity());
        let answer = request.send().await.map_err(|error| classify("scanning the table", error))?;
        self.count(Request::Read, &answer.consumed_capacity);
        let items = answer.items.unwrap_or_default().into_iter().map(attributes::raw_item);
        Ok(Scanned {
            items: items.collect::<Result<_, _>>()?,
            next: answer.last_evaluated_key.as_ref().map(attributes::key).transpose()?,
        })
    }

    async fn restore(&self, item: Item) -> Result<Restored, TableError> {
        let change = Change::Put { item: item.clone(), expect: Expect::Absent };
        match self.write(Batch { keys: Vec::new(), changes: vec![change] }).await {
            Ok(()) => Ok(Restored::Stored),
            Err(CommitError::Conflict { .. }) => {
                let there = self.read_item(&item.key).await?;
                Ok(portable::compared(there.as_ref(), &item))
            }
            Err(CommitError::Table(error)) => Err(error),
        }
    }
}
