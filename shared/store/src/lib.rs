//! The single table: how keys, records and lists are stored, and two engines that store them.
//!
//! What is stored (`keys`, `lists`, `items`) is pure and the same for both engines, so data moves between them unchanged.
//! Architecture invariant: an engine holds no rules of the product. It stores, compares versions and pages.
//! `docs/DATA-MODEL.md` shows every shape; a test compares it with the code.

#[cfg(feature = "dynamo")]
pub mod dynamo;
pub mod items;
pub mod keys;
pub mod lists;
#[cfg(any(feature = "dynamo", feature = "sqlite"))]
pub mod portable;
#[cfg(any(feature = "dynamo", feature = "sqlite"))]
mod reads;
#[cfg(test)]
mod shapes;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "dynamo", feature = "sqlite"))]
mod writes;

use muster_app::table::{TableError, TableErrorKind};

/// An error of an engine: what was being done, what it means, and what was below it.
fn failure(
    doing: impl Into<String>,
    kind: TableErrorKind,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> TableError {
    TableError { doing: doing.into(), kind, source: Some(source.into()) }
}
