//! Pages of the table's partitions and indexes.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use muster_app::table::{Order, Page, TableError};

use super::DynamoTable;
use super::attributes::{self, Attributes};
use super::failure::classify;
use super::meter::Request;
use crate::items::RawItem;
use crate::keys::ItemKey;
use crate::lists::{Index, Listing, Place};
use crate::reads::{self, PageRead};

impl DynamoTable {
    pub(super) async fn read_page(&self, read: PageRead) -> Result<Page, TableError> {
        let request = page_request(self.client.query().table_name(&self.name), &read);
        let request = request.set_return_consumed_capacity(self.capacity());
        let answer = request.send().await.map_err(|error| classify("reading a list", error))?;
        self.count(Request::Read, &answer.consumed_capacity);
        let more = answer.last_evaluated_key.is_some();
        let rows = answer.items.unwrap_or_default();
        match read.listing.place {
            Place::Table => partition_page(rows, more, &read),
            Place::Index(index) => self.index_page(rows, more, &read, index).await,
        }
    }

    /// Reads the items of an index's rows, for an index may lag behind: what is no longer in the list is left out.
    async fn index_page(
        &self,
        rows: Vec<Attributes>,
        more: bool,
        read: &PageRead,
        index: Index,
    ) -> Result<Page, TableError> {
        let mut rows = by_sort_key(rows, index.sk_attribute())?;
        let next = reads::cut(&mut rows, read.limit, more);
        let keys = rows.iter().map(|(_, row)| attributes::key(row)).collect::<Result<Vec<_>, _>>()?;
        let items = self.read_items(&keys).await?;
        let mut records = reads::records(in_order(&keys, items)?);
        records.retain(|stored| read.listing.includes(&stored.record));
        Ok(Page { records, next })
    }
}

/// Items of a partition come whole, and consistently.
fn partition_page(rows: Vec<Attributes>, more: bool, read: &PageRead) -> Result<Page, TableError> {
    let mut rows = by_sort_key(rows, "sk")?;
    let next = reads::cut(&mut rows, read.limit, more);
    let records = reads::records(rows.into_iter().map(|(_, row)| attributes::raw_item(row)));
    Ok(Page { records, next })
}

fn by_sort_key(rows: Vec<Attributes>, name: &str) -> Result<Vec<(String, Attributes)>, TableError> {
    rows.into_iter().map(|row| Ok((attributes::text_of(&row, name)?, row))).collect()
}

/// A batch answers in any order; a list has one.
fn in_order(
    keys: &[ItemKey],
    items: Vec<Attributes>,
) -> Result<Vec<Result<RawItem, TableError>>, TableError> {
    let by_key = items.into_iter().map(|item| Ok((attributes::key(&item)?, item)));
    let mut by_key = by_key.collect::<Result<HashMap<ItemKey, Attributes>, TableError>>()?;
    Ok(keys.iter().filter_map(|key| by_key.remove(key)).map(attributes::raw_item).collect())
}

fn page_request(request: QueryFluentBuilder, read: &PageRead) -> QueryFluentBuilder {
    let Listing { place, partition, above, below } = &read.listing;
    let (index, pk, sk) = match place {
        Place::Table => (None, "pk", "sk"),
        Place::Index(index) => (Some(index.name().to_owned()), index.pk_attribute(), index.sk_attribute()),
    };
    let text = |text: &str| AttributeValue::S(text.to_owned());
    request
        .set_index_name(index)
        .consistent_read(*place == Place::Table)
        // No sort key equals a bound, so that it does not matter whether bounds are included.
        .key_condition_expression("#pk = :partition AND #sk BETWEEN :above AND :below")
        .expression_attribute_names("#pk", pk)
        .expression_attribute_names("#sk", sk)
        .expression_attribute_values(":partition", text(partition))
        .expression_attribute_values(":above", text(above))
        .expression_attribute_values(":below", text(below))
        .scan_index_forward(read.order == Order::Ascending)
        .limit(i32::try_from(read.rows()).unwrap_or(i32::MAX))
        .set_exclusive_start_key(
            read.after.as_ref().map(|(key, sort_key)| start_key(&read.listing, key, sort_key)),
        )
}

/// The full key of the row to go on after.
fn start_key(listing: &Listing, key: &ItemKey, sort_key: &str) -> Attributes {
    let mut start = attributes::of_key(key);
    if let Place::Index(index) = listing.place {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        start.insert(index.pk_attribute().to_owned(), text(&listing.partition));
        start.insert(index.sk_attribute().to_owned(), text(sort_key));
    }
    start
}
