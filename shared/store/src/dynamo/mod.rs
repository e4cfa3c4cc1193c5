//! The table in DynamoDB.

mod attributes;
mod commit;
mod failure;
mod lists;
mod meter;
mod packing;
mod portable;
mod read;
mod retry;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, Write};

use self::meter::Request;
pub use self::meter::{CapacityMeter, Consumed};
pub use self::retry::Backoff;
use crate::items::RawItem;
use crate::keys::ItemKey;
use crate::reads::{self, PageRead};
use crate::writes::Batch;

/// One DynamoDB table. The client retries what DynamoDB asks to retry; this adds what only it can see: contention within
/// a transaction, keys that a batch left unread, and answers that were lost after a commit.
pub struct DynamoTable {
    client: Client,
    name: String,
    backoff: Backoff,
    meter: Option<Arc<CapacityMeter>>,
}

impl DynamoTable {
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), backoff: Backoff::default(), meter: None }
    }

    /// Counts what each request consumes.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<CapacityMeter>) -> Self {
        self.meter = Some(meter);
        self
    }

    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// What to ask DynamoDB to tell about a request's cost.
    fn capacity(&self) -> Option<ReturnConsumedCapacity> {
        self.meter.as_ref().map(|_| ReturnConsumedCapacity::Total)
    }

    fn count<'a>(&self, request: Request, costs: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        if let Some(meter) = &self.meter {
            meter.add(request, costs);
        }
    }
}

#[async_trait]
impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        let item = self.read_item(&ItemKey::of(key)).await?;
        item.map(RawItem::decode).transpose()
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        let items = self.read_items(&reads::item_keys(keys)?).await?;
        reads::by_key(items.into_iter().map(attributes::raw_item).collect::<Result<_, _>>()?)
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        self.read_page(PageRead::of(query, page)?).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.write(Batch::of(&writes)?).await
    }
}
