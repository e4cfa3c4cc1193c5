//! Callbacks at the real API function: proven by a key of the stack's own, before anything is read.

use muster_domain::callback::token;
use serde_json::{Value, json};

use super::installation::{CALLBACK_KEY, Installation, WITHOUT_TABLE, calling};
use super::samples::{Answer, Request};
use crate::support::lambda::Function;

const KEY: &str = "canary-key-0123456789abcdef0123456789abcdef";
const KEY_BEFORE: &str = "canary-old-0123456789abcdef0123456789abcdef";

async fn say(api: &Function, execution: &str, token: &str) -> Answer {
    let path = format!("/api/executions/{execution}/steps/webhook/callback");
    let request = Request::sample("create-runbook").to("POST", &path).without_claims();
    let request = request.with_body(&json!({"status": "succeeded"}));
    request.with_header("muster-callback-token", token).send(api).await
}

fn token_of(key: &str, execution: &str) -> String {
    token(key.as_bytes(), &execution.parse().unwrap(), &"webhook".parse().unwrap()).unwrap()
}

#[tokio::test]
async fn inv_f3_tokens_of_the_key_and_the_one_before_it_count_and_no_others() {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    let definition = calling("https://control.example.com/restart");
    let execution = installation.accepted(std::time::Duration::ZERO, definition).await.to_string();
    // Without its key the function takes nothing, and says that it may later.
    say(&api, &execution, "mcb_guess").await.expect(503);
    installation.secrets.hold(CALLBACK_KEY, json!({"SecretString": KEY}));
    installation.secrets.hold(&format!("{CALLBACK_KEY}@AWSPREVIOUS"), json!({"SecretString": KEY_BEFORE}));
    for key in [KEY, KEY_BEFORE] {
        // It is proven, and this step waits for nobody.
        let late = say(&api, &execution, &token_of(key, &execution)).await.expect(409);
        assert_eq!(late["type"], "/problems/wrong-status");
    }
    let other_key = "another key another key another key";
    for wrong in [token_of(other_key, &execution), "mcb_guess".into(), String::new()] {
        assert_eq!(say(&api, &execution, &wrong).await.expect(401)["type"], "/problems/unauthenticated");
    }
    assert_eq!(installation.secrets.asked().len(), 3, "one try in vain, and then one read of each version");
    let log = Value::from(api.stop()).to_string();
    assert!(!log.contains("canary") && !log.contains(&token_of(KEY, &execution)), "the log");
}

#[tokio::test]
async fn inv_c1_a_wrong_token_reads_no_table() {
    let installation = Installation::start().await;
    installation.secrets.hold(CALLBACK_KEY, json!({"SecretString": KEY}));
    let api = installation.function_with("muster-api", &WITHOUT_TABLE).await;
    let execution = "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0";
    say(&api, execution, "mcb_guess").await.expect(401);
    say(&api, execution, &token_of(KEY, execution)).await.expect(503);
}
