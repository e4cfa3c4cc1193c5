//! Conditional writes: one item as a plain write, several as a transaction, which costs twice as much.
//!
//! Each commit has a random name, kept for all its tries: the client token of a transaction, and an attribute of every
//! item written, which a refused put is told. So a try whose answer was lost is known again, and only by the commit that
//! made it: two callers who commit the very same writes at the same moment are two commits, and one is refused.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use muster_app::table::{CommitError, Expect, TableError, TableErrorKind};

use super::DynamoTable;
use super::attributes::{self, Attributes};
use super::failure::{Cancelled, cancelled, classify};
use super::meter::Request;
use crate::failure;
use crate::items::Item;
use crate::writes::{self, Batch, Change};

const DOING: &str = "committing";

/// What one try came to, if it did not succeed.
enum Failed {
    /// The conditions of the writes at these positions do not hold.
    Refused(Vec<usize>),
    /// Another commit has one of the items in hand; it may be done in a moment.
    Contended,
    Throttled(TableError),
    Error(TableError),
}

impl DynamoTable {
    pub(super) async fn write(&self, batch: Batch) -> Result<(), CommitError> {
        let Batch { keys, changes } = batch;
        let name = commit_name()?;
        let mut made = 0;
        loop {
            let failed = match self.attempt(&changes, &name).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            made += 1;
            match (failed, self.backoff.wait(made)) {
                (Failed::Contended | Failed::Throttled(_), Some(wait)) => tokio::time::sleep(wait).await,
                (Failed::Refused(positions), _) => {
                    return Err(CommitError::Conflict { keys: writes::keys_at(keys, &positions) });
                }
                (Failed::Contended, None) => return Err(CommitError::Conflict { keys: Vec::new() }),
                (Failed::Throttled(error), None) | (Failed::Error(error), _) => return Err(error.into()),
            }
        }
    }

    async fn attempt(&self, changes: &[Change], name: &str) -> Result<(), Failed> {
        match changes {
            [] => Ok(()),
            [Change::Put { item, expect }] => self.put(item, *expect, name).await,
            // A single deletion leaves nothing that would tell whose it was, so it is a transaction with a token.
            [Change::Delete { .. }] | [_, _, ..] => self.transact(changes, name).await,
        }
    }

    async fn put(&self, item: &Item, expect: Expect, name: &str) -> Result<(), Failed> {
        let condition = Condition::of(expect);
        let request = self.client.put_item().table_name(&self.name);
        let sent = request
            .set_item(Some(attributes::of_item(item, name)))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.capacity())
            .send()
            .await;
        match sent {
            Ok(answer) => {
                self.count(Request::Write, &answer.consumed_capacity);
                Ok(())
            }
            Err(error) => put_failed(error, name),
        }
    }

    async fn transact(&self, changes: &[Change], name: &str) -> Result<(), Failed> {
        let writes = changes.iter().map(|change| self.transact_item(change, name)).collect::<Result<_, _>>();
        let request = self.client.transact_write_items().client_request_token(name);
        let sent = request
            .set_transact_items(Some(writes.map_err(Failed::Error)?))
            .set_return_consumed_capacity(self.capacity())
            .send()
            .await;
        match sent {
            Ok(answer) => {
                self.count(Request::Transaction, answer.consumed_capacity());
                Ok(())
            }
            Err(error) => Err(transaction_failed(error)),
        }
    }

    fn transact_item(&self, change: &Change, name: &str) -> Result<TransactWriteItem, TableError> {
        let condition = Condition::of(change.expect());
        let item = TransactWriteItem::builder();
        let item = match change {
            Change::Put { item: new, .. } => {
                let put = Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(attributes::of_item(new, name)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values);
                item.put(put.build().map_err(incomplete)?)
            }
            Change::Delete { key, .. } => {
                let delete = Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes::of_key(key)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values);
                item.delete(delete.build().map_err(incomplete)?)
            }
        };
        Ok(item.build())
    }
}

/// 128 random bits.
fn commit_name() -> Result<String, TableError> {
    let mut name = [0; 16];
    let filled = getrandom::fill(&mut name);
    filled.map_err(|error| failure("naming a commit", TableErrorKind::Unavailable, error))?;
    Ok(hex::encode(name))
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> TableError {
    failure(DOING, TableErrorKind::Invalid, error)
}

/// A condition as DynamoDB takes it.
struct Condition {
    expression: &'static str,
    names: Option<std::collections::HashMap<String, String>>,
    values: Option<Attributes>,
}

impl Condition {
    fn of(expect: Expect) -> Self {
        match expect {
            Expect::Absent => Self { expression: "attribute_not_exists(pk)", names: None, values: None },
            Expect::Version(seen) => Self {
                expression: "#version = :seen",
                names: Some([("#version".to_owned(), "version".to_owned())].into()),
                values: Some([(":seen".to_owned(), AttributeValue::N(seen.to_string()))].into()),
            },
        }
    }
}

fn put_failed(error: SdkError<PutItemError>, name: &str) -> Result<(), Failed> {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(refused)) => {
            let ours = refused.item().is_some_and(|stored| attributes::is_of_commit(stored, name));
            if ours { Ok(()) } else { Err(Failed::Refused(vec![0])) }
        }
        Some(PutItemError::TransactionConflictException(_)) => Err(Failed::Contended),
        Some(_) | None => Err(Failed::Error(classify(DOING, error))),
    }
}

/// DynamoDB knows a transaction again by its token for ten minutes, so an earlier try of this one is never refused here.
fn transaction_failed(error: SdkError<TransactWriteItemsError>) -> Failed {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(refused)) => {
            refused.cancellation_reasons()
        }
        // An earlier try of this commit is still under way.
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Failed::Throttled(classify(DOING, error));
        }
        Some(_) | None => return Failed::Error(classify(DOING, error)),
    };
    match cancelled(reasons) {
        Cancelled::Refused(positions) => Failed::Refused(positions),
        Cancelled::Contended => Failed::Contended,
        Cancelled::Throttled => Failed::Throttled(failure(DOING, TableErrorKind::Unavailable, error)),
        Cancelled::Invalid => Failed::Error(classify(DOING, error)),
    }
}
