//! One suite of scenarios, two targets: `muster serve`, and the stack of `infra/template.yaml` with its real binaries on a local
//! AWS. `scripts/aws-local test` runs the half that needs the latter; an ordinary run shows it as ignored.
//!
//! Everything is seen as a client sees it, over HTTP. Clocks are real, so a test waits for what happens by looking often.

mod age;
mod audit;
mod deployed;
mod events;
mod faults;
mod forward;
mod invocation;
mod issuer;
mod kill_switch;
mod life;
mod muster;
mod phases;
mod proof;

use std::time::Duration;

use serde_json::Value;

use self::muster::{Muster, Target};
use crate::local::person::Person;
use crate::local::within;

/// The longest that anything here may take: two sweeps, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// What `look` finds at last.
async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The execution once it stands at `status`; fails if it ends otherwise.
async fn ends(person: &Person, execution: &str, status: &str) -> Value {
    eventually(&format!("{execution} to be {status}"), async || {
        let seen = person.get(&format!("/api/executions/{execution}")).await.expect(200);
        let now = seen["status"].as_str().unwrap();
        let goes_on = ["PENDING", "RUNNING", "WAITING"].contains(&now);
        assert!(goes_on || now == status, "{seen}");
        (now == status).then_some(seen)
    })
    .await
}

/// The executions that something lists under `path`.
async fn executions(person: &Person, path: &str) -> Vec<String> {
    let page = person.get(&format!("{path}/executions")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
}
