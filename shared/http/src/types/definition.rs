//! A runbook's definition as clients write it, and as they read it.

use std::collections::BTreeMap;
use std::fmt;

use muster_domain::ids::TeamId;
use muster_domain::runbook::definition::MAX_TIMEOUT_SECONDS;
use muster_domain::runbook::phased::Without;
use muster_domain::runbook::{PhasedRunbook, RunbookDefinition, SimpleRunbook};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::extract::json::{Body, object, parse};
use crate::problem::Problem;

use super::request::{HeaderText, Method, RequestMethod, WebhookAuth};

/// What a person writes: one webhook, or phases of steps. What has `phases` is phased.
#[derive(Debug)]
pub(crate) enum NewDefinition {
    Simple(Box<NewSimple>),
    Phased(NewPhased),
}

impl PartialSchema for NewDefinition {
    fn schema() -> RefOr<Schema> {
        let forms = [NewSimple::name(), NewPhased::name()];
        let one_of = forms
            .into_iter()
            .fold(OneOfBuilder::new(), |one_of, form| one_of.item(Ref::from_schema_name(form)));
        one_of.description(Some("One webhook, or phases of steps. What has `phases` is phased.")).into()
    }
}

impl ToSchema for NewDefinition {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewSimple::name().into(), NewSimple::schema()));
        schemas.push((NewPhased::name().into(), NewPhased::schema()));
        NewSimple::schemas(schemas);
    }
}

/// The member that tells the forms apart.
#[derive(Deserialize)]
struct Form {
    phases: Option<IgnoredAny>,
}

impl Body for NewDefinition {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let form: Form = parse(body)?;
        match form.phases {
            Some(_) => parse(body).map(Self::Phased),
            None => parse(body).map(|simple| Self::Simple(Box::new(simple))),
        }
    }
}

impl NewDefinition {
    /// The definition, and why it changes.
    pub(crate) fn into_parts(self) -> (RunbookDefinition, Option<String>) {
        match self {
            Self::Simple(mut simple) => {
                let note = simple.change_note.take();
                (SimpleRunbook::from(*simple).into(), note)
            }
            Self::Phased(NewPhased { definition, change_note }) => {
                (RunbookDefinition::Phased(definition), change_note)
            }
        }
    }
}

/// Phases of steps, as `docs/runbook.schema.json` describes them; with PUT also `changeNote`, at most 500 characters.
#[derive(Debug)]
pub(crate) struct NewPhased {
    definition: Box<PhasedRunbook>,
    change_note: Option<String>,
}

impl PartialSchema for NewPhased {
    fn schema() -> RefOr<Schema> {
        phased_schema()
    }
}

impl ToSchema for NewPhased {}

impl<'de> Deserialize<'de> for NewPhased {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PhasedVisitor)
    }
}

struct PhasedVisitor;

impl<'de> Visitor<'de> for PhasedVisitor {
    type Value = NewPhased;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<NewPhased, A::Error> {
        let mut change_note: Option<Option<String>> = None;
        let members = Without { name: "changeNote", found: &mut change_note, rest: members };
        let definition = PhasedRunbook::deserialize(MapAccessDeserializer::new(members))?;
        Ok(NewPhased { definition: Box::new(definition), change_note: change_note.flatten() })
    }
}

/// One webhook, rendered and sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSimple {
    /// 1 to 200 characters.
    name: String,
    /// At most 4,000 characters.
    #[serde(default)]
    description: String,
    /// The owning team; absent: a global runbook, which platform admins manage. It never changes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// At most 20, each 1 to 64 characters.
    #[serde(default)]
    tags: Vec<String>,
    /// An absolute `http` or `https` URL of at most 2,048 bytes. Path and query may hold templates; scheme, host and port may
    /// not.
    webhook_url: String,
    #[serde(default)]
    webhook_method: Method,
    /// At most 32. Values are templates, or references to secrets.
    #[serde(default)]
    webhook_headers: BTreeMap<String, HeaderText>,
    #[serde(default, deserialize_with = "object")]
    webhook_auth: WebhookAuth,
    /// A JSON Schema (2020-12) of the parameters, at most 16 KiB; absent: any parameters.
    #[serde(default)]
    parameters: Option<Value>,
    /// The body that is sent: a JSON value whose strings are templates, or one string. Absent: an empty object.
    #[serde(default)]
    payload_template: Option<Value>,
    /// How long one attempt may take, 1 to 20 seconds.
    #[serde(default = "default_timeout_seconds")]
    #[schema(minimum = 1, maximum = 20, default = 20)]
    timeout_seconds: u32,
    /// Whether the receiver may get the same call twice without harm. `false`: an attempt whose outcome is unknown is never
    /// repeated; the execution waits for a person.
    #[serde(default = "default_idempotent")]
    #[schema(default = true)]
    idempotent: bool,
    /// Why it changes, at most 500 characters. Only with PUT: a new runbook has no change to note.
    #[serde(default)]
    change_note: Option<String>,
}

fn default_timeout_seconds() -> u32 {
    MAX_TIMEOUT_SECONDS
}

fn default_idempotent() -> bool {
    true
}

impl From<NewSimple> for SimpleRunbook {
    fn from(new: NewSimple) -> Self {
        let headers = new.webhook_headers.into_iter();
        Self {
            name: new.name,
            description: new.description,
            team_id: new.team_id,
            tags: new.tags,
            webhook_url: new.webhook_url,
            webhook_method: new.webhook_method.into(),
            webhook_headers: headers.map(|(name, value)| (name, value.into())).collect(),
            webhook_auth: new.webhook_auth.into(),
            parameters: new.parameters,
            payload_template: new.payload_template,
            timeout_seconds: new.timeout_seconds,
            idempotent: new.idempotent,
        }
    }
}

/// A definition as it is stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Definition {
    Simple(Box<SimpleDefinition>),
    Phased(PhasedDefinition),
}

impl From<RunbookDefinition> for Definition {
    fn from(stored: RunbookDefinition) -> Self {
        match stored {
            RunbookDefinition::Simple(simple) => Self::Simple(Box::new((*simple).into())),
            RunbookDefinition::Phased(phased) => Self::Phased((*phased).into()),
        }
    }
}

/// Phases of steps, as `docs/runbook.schema.json` describes them.
#[derive(Debug, Serialize)]
pub(crate) struct PhasedDefinition(Value);

impl PartialSchema for PhasedDefinition {
    fn schema() -> RefOr<Schema> {
        phased_schema()
    }
}

impl ToSchema for PhasedDefinition {}

/// The whole of it is the schema that editors use, which OpenAPI need not repeat.
fn phased_schema() -> RefOr<Schema> {
    let object =
        ObjectBuilder::new().description(Some("Phases of steps, as docs/runbook.schema.json describes them"));
    let phases = ArrayBuilder::new().items(ObjectBuilder::new());
    let object = object.property("name", String::schema()).property("phases", phases);
    object.required("name").required("phases").into()
}

impl From<PhasedRunbook> for PhasedDefinition {
    /// What every runbook has is there even if it is empty, as it is of a simple one.
    fn from(stored: PhasedRunbook) -> Self {
        let mut written = json!({"description": "", "tags": []});
        let stored = serde_json::to_value(stored).unwrap_or_default();
        if let (Value::Object(members), Value::Object(stored)) = (&mut written, stored) {
            members.extend(stored);
        }
        Self(written)
    }
}

/// One webhook, with its defaults.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimpleDefinition {
    name: String,
    description: String,
    /// Absent: a global runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    tags: Vec<String>,
    webhook_url: String,
    webhook_method: RequestMethod,
    webhook_headers: BTreeMap<String, HeaderText>,
    webhook_auth: WebhookAuth,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_template: Option<Value>,
    timeout_seconds: u32,
    idempotent: bool,
}

impl From<SimpleRunbook> for SimpleDefinition {
    fn from(stored: SimpleRunbook) -> Self {
        let headers = stored.webhook_headers.into_iter();
        Self {
            name: stored.name,
            description: stored.description,
            team_id: stored.team_id,
            tags: stored.tags,
            webhook_url: stored.webhook_url,
            webhook_method: stored.webhook_method.into(),
            webhook_headers: headers.map(|(name, value)| (name, value.into())).collect(),
            webhook_auth: stored.webhook_auth.into(),
            parameters: stored.parameters,
            payload_template: stored.payload_template,
            timeout_seconds: stored.timeout_seconds,
            idempotent: stored.idempotent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: &str = r#""phases": [{"id": "p", "steps": [{"id": "s", "type": "delay", "seconds": 5}]}]"#;

    fn read(members: &str) -> Result<(RunbookDefinition, Option<String>), Value> {
        let body = format!(r#"{{"name": "n", {members}}}"#);
        NewDefinition::read(body.as_bytes()).map(NewDefinition::into_parts).map_err(|problem| problem.body())
    }

    fn check_refused(members: &str, pointer: &str, message: &str) {
        let body = read(members).expect_err(members);
        let error = &body["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["message"].as_str().is_some_and(|said| said.starts_with(message)), "{body}");
    }

    #[test]
    fn phases_make_a_body_phased_wherever_they_stand() {
        for members in
            [format!(r#"{PHASES}, "changeNote": "why""#), format!(r#""changeNote": "why", {PHASES}"#)]
        {
            let (definition, note) = read(&members).expect("is read");
            assert!(definition.phased().is_some());
            assert_eq!(note.as_deref(), Some("why"));
        }
        let (definition, note) =
            read(r#""webhookUrl": "https://ops.example/", "changeNote": null"#).expect("is read");
        assert!(definition.simple().is_some());
        assert_eq!(note, None);
    }

    #[test]
    fn inv_c7_what_does_not_fit_a_phased_body_is_refused_with_its_place() {
        check_refused(&PHASES.replace("5", r#""soon""#), "/phases/0/steps/0/seconds", "expected u64");
        check_refused(
            &PHASES.replace("seconds", "second"),
            "/phases/0/steps/0/second",
            "unknown field `second`",
        );
        check_refused(&format!(r#"{PHASES}, "webhookUrl": "x""#), "", "unknown field `webhookUrl`");
        check_refused(&format!(r#"{PHASES}, "changeNote": "a", "changeNote": "b""#), "", "duplicate field");
        check_refused(&format!("{PHASES}, {PHASES}"), "", "duplicate field `phases`");
    }

    #[test]
    fn a_phased_definition_is_shown_with_what_every_runbook_has() {
        let (definition, _) = read(PHASES).expect("is read");
        let shown = serde_json::to_value(Definition::from(definition)).expect("serialises");
        assert_eq!(shown["tags"], json!([]));
        assert_eq!(shown["phases"][0]["steps"][0]["seconds"], 5);
    }
}
