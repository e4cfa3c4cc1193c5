//! What a sender is told about its delivery.

use muster_app::deliveries;
use muster_domain::ids::IncidentId;
use muster_domain::sources;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivered {
    /// How many of its reports were followed.
    accepted: usize,
    /// Reports that change nothing, a repeated one among them.
    ignored: Vec<Ignored>,
    /// Ids of the incidents that it is about.
    #[schema(value_type = Vec<String>)]
    incidents: Vec<IncidentId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ignored {
    /// The report's own id, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
    reason: String,
}

impl From<deliveries::Delivered> for Delivered {
    fn from(delivered: deliveries::Delivered) -> Self {
        let ignored = delivered.ignored.into_iter();
        let ignored = ignored.map(|sources::Ignored { delivery, reason }| Ignored { delivery, reason });
        Self { accepted: delivered.accepted, ignored: ignored.collect(), incidents: delivered.incidents }
    }
}
