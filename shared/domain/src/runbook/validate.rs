//! What makes a simple definition valid, and what every definition has in common. Every fault is reported, not only the first.

use serde_json::Value;

use super::definition::Common;
use super::simple::SimpleRunbook;
use crate::fault::{Fault, check_length};
use crate::schema::ParameterSchema;
use crate::webhook;

/// Limits of a definition's fields.
pub(super) const MAX_NAME_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 4_000;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARS: usize = 64;

impl SimpleRunbook {
    /// All that is wrong with this definition; empty if it may be saved.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_texts(&self.common(), &mut faults);
        webhook::check_url("/webhookUrl", &self.webhook_url, &mut faults);
        webhook::check_headers("/webhookHeaders", &self.webhook_headers, &mut faults);
        webhook::check_auth("/webhookAuth", &self.webhook_auth, &mut faults);
        webhook::check_timeout("/timeoutSeconds", self.timeout_seconds, &mut faults);
        check_parameters(self.parameters.as_ref(), &mut faults);
        if let Some(payload) = &self.payload_template {
            webhook::check_payload("/payloadTemplate", payload, &mut faults);
        }
        faults
    }
}

pub(super) fn check_texts(definition: &Common<'_>, faults: &mut Vec<Fault>) {
    check_length("/name", definition.name, 1, MAX_NAME_CHARS, faults);
    check_length("/description", definition.description, 0, MAX_DESCRIPTION_CHARS, faults);
    if definition.tags.len() > MAX_TAGS {
        faults.push(Fault::new("/tags", format!("has {} tags; at most {MAX_TAGS}", definition.tags.len())));
    }
    for (position, tag) in definition.tags.iter().enumerate() {
        check_length(&format!("/tags/{position}"), tag, 1, MAX_TAG_CHARS, faults);
    }
}

pub(super) fn check_parameters(schema: Option<&Value>, faults: &mut Vec<Fault>) {
    if let Some(schema) = schema
        && let Err(found) = ParameterSchema::compile(schema)
    {
        faults.extend(found.into_iter().map(|fault| fault.under("/parameters")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(change: Value, expected: &[&str]) {
        let mut value = json!({"name": "Restart", "webhookUrl": "https://ops.example/restart"});
        for (name, member) in change.as_object().into_iter().flatten() {
            value[name] = member.clone();
        }
        let definition: SimpleRunbook = serde_json::from_value(value).expect("parses");
        let faults = definition.faults();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, expected, "{change}: {faults:?}");
    }

    #[test]
    fn a_definition_reports_every_fault_with_its_place() {
        check(json!({}), &[]);
        check(json!({"name": "", "timeoutSeconds": 21}), &["/name", "/timeoutSeconds"]);
        check(json!({"tags": ["ok", ""]}), &["/tags/1"]);
        check(
            json!({"webhookHeaders": {"Host": "x", "X-A": "{{#if a}}"}}),
            &["/webhookHeaders/Host", "/webhookHeaders/X-A"],
        );
        check(json!({"webhookHeaders": {"Authorization": "Bearer abc"}}), &["/webhookHeaders/Authorization"]);
        check(json!({"payloadTemplate": {"a": [{"$secret": "k"}]}}), &["/payloadTemplate/a/0"]);
        check(json!({"payloadTemplate": {"a": ["{{{x}}}"]}}), &["/payloadTemplate/a/0"]);
        check(
            json!({"webhookAuth": {"type": "apiKey", "header": "a b", "key": {"$secret": "k"}}}),
            &["/webhookAuth/header"],
        );
    }

    #[test]
    fn inv_d4_scheme_host_and_port_are_never_templated() {
        for url in [
            "{{params.url}}",
            "{{params.scheme}}://ops.example/",
            "https://{{params.host}}/",
            "https://ops.example:{{params.port}}/",
            "https://ops{{params.x}}",
            "https:///path",
            "ftp://ops.example/",
            "https://user:pass@ops.example/",
            "https://ops.example/#x",
            "//ops.example/",
            "",
        ] {
            check(json!({"webhookUrl": url}), &["/webhookUrl"]);
        }
        check(json!({"webhookUrl": "https://ops.example:8443/{{params.service}}?q={{params.q}}"}), &[]);
    }
}
