//! Consistent reads by key.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use muster_app::table::{TableError, TableErrorKind};

use super::DynamoTable;
use super::attributes::{self, Attributes};
use super::failure::classify;
use super::meter::Request;
use crate::failure;
use crate::items::RawItem;
use crate::keys::ItemKey;

impl DynamoTable {
    pub(super) async fn read_item(&self, key: &ItemKey) -> Result<Option<RawItem>, TableError> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let request =
            request.set_key(Some(attributes::of_key(key))).set_return_consumed_capacity(self.capacity());
        let answer = request.send().await.map_err(|error| classify("reading a record", error))?;
        self.count(Request::Read, &answer.consumed_capacity);
        answer.item.map(attributes::raw_item).transpose()
    }

    /// The items that are there, of those asked for, in no order.
    pub(super) async fn read_items(&self, keys: &[ItemKey]) -> Result<Vec<Attributes>, TableError> {
        let mut missing: Vec<Attributes> = keys.iter().map(attributes::of_key).collect();
        let mut items = Vec::with_capacity(keys.len());
        let mut tries = 0;
        while !missing.is_empty() {
            let (found, left) = self.read_some(missing).await?;
            // A batch that got on has earned a fresh start: large items come in several answers.
            tries = if found.is_empty() { tries + 1 } else { 0 };
            items.extend(found);
            missing = left;
            if !missing.is_empty() {
                self.pause(tries).await?;
            }
        }
        Ok(items)
    }

    /// One answer: what was found, and the keys that DynamoDB left for another request.
    async fn read_some(
        &self,
        keys: Vec<Attributes>,
    ) -> Result<(Vec<Attributes>, Vec<Attributes>), TableError> {
        let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let asked = asked.map_err(|error| failure("reading records", TableErrorKind::Invalid, error))?;
        let request = self.client.batch_get_item().request_items(&self.name, asked);
        let request = request.set_return_consumed_capacity(self.capacity());
        let answer = request.send().await.map_err(|error| classify("reading records", error))?;
        self.count(Request::Read, answer.consumed_capacity());
        let found = answer.responses.and_then(|mut tables| tables.remove(&self.name));
        let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
        Ok((found.unwrap_or_default(), left.map(|left| left.keys).unwrap_or_default()))
    }

    async fn pause(&self, tries: u32) -> Result<(), TableError> {
        match self.backoff.wait(tries) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => {
                let reason = "DynamoDB leaves keys of the batch unread";
                Err(failure("reading records", TableErrorKind::Unavailable, reason))
            }
        }
    }
}
