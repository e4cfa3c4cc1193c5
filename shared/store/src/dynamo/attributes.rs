//! Items as DynamoDB's attributes. The names are those of `docs/DATA-MODEL.md`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use muster_app::table::{TableError, TableErrorKind};

use super::packing;
use crate::failure;
use crate::items::{Item, RawItem};
use crate::keys::ItemKey;
use crate::lists::Index;

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// Names the commit that wrote an item, so that a commit whose answer was lost knows its own work again.
pub(super) const COMMIT: &str = "commit";

pub(super) fn of_key(key: &ItemKey) -> Attributes {
    HashMap::from([text("pk", &key.pk), text("sk", &key.sk)])
}

pub(super) fn of_item(item: &Item, commit: &str) -> Attributes {
    let mut attributes = of_key(&item.key);
    attributes.extend([
        text("kind", item.kind.as_str()),
        number("schema", item.schema),
        number("version", item.version),
        ("data".to_owned(), packing::pack(&item.data)),
        text(COMMIT, commit),
    ]);
    for index in Index::ALL {
        if let Some(entry) = item.entries.get(index) {
            attributes.extend([text(index.pk_attribute(), &entry.pk), text(index.sk_attribute(), &entry.sk)]);
        }
    }
    attributes.extend(item.ttl.map(|seconds| number("ttl", seconds)));
    attributes
}

/// Whether the stored item was written by this very commit.
pub(super) fn is_of_commit(attributes: &Attributes, commit: &str) -> bool {
    let stored = attributes.get(COMMIT).and_then(|value| value.as_s().ok());
    stored.is_some_and(|stored| stored == commit)
}

fn text(name: &str, value: &str) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(value.to_owned()))
}

fn number(name: &str, value: impl ToString) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::N(value.to_string()))
}

/// The primary key of an item, or of an index's row.
pub(super) fn key(attributes: &Attributes) -> Result<ItemKey, TableError> {
    Ok(ItemKey { pk: text_of(attributes, "pk")?, sk: text_of(attributes, "sk")? })
}

pub(super) fn raw_item(mut attributes: Attributes) -> Result<RawItem, TableError> {
    let key = key(&attributes)?;
    let doing = format!("reading the item {} / {}", key.pk, key.sk);
    parts(key, &mut attributes).map_err(|error| TableError { doing, ..error })
}

fn parts(key: ItemKey, attributes: &mut Attributes) -> Result<RawItem, TableError> {
    Ok(RawItem {
        key,
        kind: text_of(attributes, "kind")?,
        schema: number_of(attributes, "schema")?,
        version: number_of(attributes, "version")?,
        data: take_data(attributes)?,
    })
}

pub(super) fn text_of(attributes: &Attributes, name: &str) -> Result<String, TableError> {
    match attributes.get(name) {
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        Some(_) | None => Err(malformed(name, "a text")),
    }
}

fn number_of<T: std::str::FromStr>(attributes: &Attributes, name: &str) -> Result<T, TableError> {
    match attributes.get(name) {
        Some(AttributeValue::N(number)) => number.parse().map_err(|_| malformed(name, "such a number")),
        Some(_) | None => Err(malformed(name, "a number")),
    }
}

/// Moves the data out, for it is most of the item.
fn take_data(attributes: &mut Attributes) -> Result<String, TableError> {
    let packed = attributes.remove("data").ok_or_else(|| malformed("data", "there"))?;
    packing::unpack(packed)
}

fn malformed(name: &str, expected: &str) -> TableError {
    failure("reading an item", TableErrorKind::Corrupt, format!("its attribute {name} is not {expected}"))
}
