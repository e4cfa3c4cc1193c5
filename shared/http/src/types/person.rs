//! Who is whom, as people say it and as the API shows it.

use std::collections::BTreeSet;

use muster_app::people::PersonDetail;
use muster_domain::approval as domain;
use muster_domain::ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LinkPerson {
    /// All other names of the same person, at most 20; each is told of this one.
    #[schema(value_type = Vec<String>)]
    aliases: BTreeSet<UserId>,
}

impl From<LinkPerson> for domain::SetPerson {
    fn from(set: LinkPerson) -> Self {
        Self { aliases: set.aliases }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkedPerson {
    #[schema(value_type = String)]
    user: UserId,
    #[schema(value_type = Vec<String>)]
    aliases: BTreeSet<UserId>,
    #[schema(value_type = String)]
    set_by: UserId,
    created_at: Moment,
    updated_at: Moment,
}

impl From<PersonDetail> for LinkedPerson {
    fn from(detail: PersonDetail) -> Self {
        let person = detail.person;
        Self {
            user: person.id,
            aliases: person.aliases,
            set_by: person.set_by,
            created_at: person.created_at.into(),
            updated_at: person.updated_at.into(),
        }
    }
}
