//! Proving that a table holds what a file did.

use std::collections::BTreeMap;

use muster_app::audit::{self, Unproven as Broken};
use muster_app::table::TableError;
use muster_domain::audit::Resource;

use super::file::Contents;
use super::{Portable, Scanned};

/// What was compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Proof {
    pub items: u64,
    /// Audit chains that were verified in the table, entry by entry.
    pub chains: usize,
}

/// Why a table is not what the file was.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    #[error("reading the table")]
    Table(#[from] TableError),
    #[error("the table has {found} items of the kind {kind}, the file {expected}")]
    Count { kind: String, found: u64, expected: u64 },
    #[error("{0} has no audit chain in the table")]
    Missing(Resource),
    #[error("{resource} does not prove itself")]
    Chain {
        resource: Resource,
        #[source]
        source: Broken,
    },
}

/// Counts the items of each kind, and verifies every audit chain as the table has it.
pub(super) async fn prove(table: &dyn Portable, contents: &Contents) -> Result<Proof, Unproven> {
    let found = kinds(table).await?;
    for kind in found.keys().chain(contents.kinds.keys()) {
        let of = |kinds: &BTreeMap<String, u64>| kinds.get(kind).copied().unwrap_or(0);
        let (found, expected) = (of(&found), of(&contents.kinds));
        if found != expected {
            return Err(Unproven::Count { kind: kind.clone(), found, expected });
        }
    }
    for resource in &contents.audited {
        chain(table, resource).await?;
    }
    Ok(Proof { items: contents.items(), chains: contents.audited.len() })
}

async fn kinds(table: &dyn Portable) -> Result<BTreeMap<String, u64>, TableError> {
    let (mut counted, mut after) = (Contents::default(), None);
    loop {
        let Scanned { items, next } = table.scan(after.as_ref()).await?;
        items.iter().for_each(|item| counted.count(&item.kind));
        after = next;
        if after.is_none() {
            return Ok(counted.kinds);
        }
    }
}

async fn chain(table: &dyn Portable, resource: &Resource) -> Result<(), Unproven> {
    let export = audit::export_of(table, resource).await?;
    let export = export.ok_or_else(|| Unproven::Missing(resource.clone()))?;
    export.verify().map_err(|source| Unproven::Chain { resource: resource.clone(), source })
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} items are stored, and {} audit chains verify", self.items, self.chains)
    }
}
