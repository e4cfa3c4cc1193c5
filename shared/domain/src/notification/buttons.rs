//! The part of a Slack message by which people answer a gate: a field for a reason, and two buttons.

use serde_json::{Value, json};

use super::Asking;
use crate::approval::answer::MAX_REASON_CHARS;
use crate::approval::click::{APPROVE, REASON, REJECT};

/// The blocks below the text; every button has this value. Slack has no field for a form: who must fill one in approves elsewhere.
pub(super) fn blocks(asking: &Asking, value: &str) -> [Value; 2] {
    let approve = (!asking.has_form).then(|| button(APPROVE, ("Approve", "primary"), value));
    let reject = button(REJECT, ("Reject", "danger"), value);
    let buttons: Vec<Value> = approve.into_iter().chain([reject]).collect();
    let label = if asking.reason_required { "Why" } else { "Why, if you like" };
    let field = json!({"type": "plain_text_input", "action_id": REASON, "max_length": MAX_REASON_CHARS});
    [
        json!({
            "type": "input", "block_id": REASON, "optional": !asking.reason_required, "element": field, "label": plain(label),
        }),
        json!({"type": "actions", "elements": buttons}),
    ]
}

fn button(action: &str, (label, style): (&str, &str), value: &str) -> Value {
    json!({"type": "button", "action_id": action, "style": style, "text": plain(label), "value": value})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}
