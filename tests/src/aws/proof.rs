//! What the audit log proves.

use muster_app::audit::AuditExport;

use super::eventually;
use crate::local::person::Person;

/// Fails unless the resource's chain is whole and meets what the resource itself keeps; gives the entries' actions.
pub(super) async fn proven(auditor: &Person, resource: &str) -> Vec<String> {
    let export = eventually(&format!("the proof of {resource}"), async || {
        let body = auditor.get(&format!("/api/audit/{resource}")).await.expect(200);
        let export: AuditExport = serde_json::from_value(body).unwrap();
        // An execution that goes on may grow between the two reads of an export.
        export.verify().is_ok().then_some(export)
    })
    .await;
    export.entries.into_iter().map(|entry| entry.action).collect()
}
