//! What requests consumed, as DynamoDB bills it.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Counts the cost of every request of the tables it is given to.
#[derive(Debug, Default)]
pub struct CapacityMeter(Mutex<Consumed>);

/// A cost: units over the table and all its indexes, and the requests they were for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Consumed {
    pub read_units: f64,
    pub write_units: f64,
    pub reads: u64,
    /// Conditional writes of a single item.
    pub writes: u64,
    pub transactions: u64,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Read,
    Write,
    Transaction,
}

impl CapacityMeter {
    /// Everything since the start.
    pub fn consumed(&self) -> Consumed {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one request, with DynamoDB's word on what it cost.
    pub(super) fn add<'a>(&self, request: Request, costs: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let units: f64 = costs.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
        let mut total = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::Read => {
                total.read_units += units;
                total.reads += 1;
            }
            Request::Write => {
                total.write_units += units;
                total.writes += 1;
            }
            Request::Transaction => {
                total.write_units += units;
                total.transactions += 1;
            }
        }
    }
}
