//! The API is split over two functions by what their roles may write.

use super::installation::{Installation, calling};
use super::samples::Request;

#[tokio::test]
async fn the_api_function_does_not_approve() {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    let definition = calling("https://control.example.com/restart");
    let created = Request::sample("create-runbook").with_body(&definition).send(&api).await.expect(201);
    let runbook = created["id"].as_str().unwrap();
    for decision in ["approve", "deprecate"] {
        let path = format!("/api/runbooks/{runbook}/{decision}");
        let problem = Request::sample("approve-runbook").to("POST", &path).send(&api).await.expect(404);
        assert_eq!(problem["type"], "/problems/not-found");
    }
    for answer in ["approve", "reject", "withdraw"] {
        let path = format!("/api/executions/ex_01J9Z3W2B4C6D8E0F2G4H6J8K0/steps/ask/{answer}");
        let problem = Request::sample("approve-runbook").to("POST", &path).send(&api).await.expect(404);
        assert_eq!(problem["type"], "/problems/not-found");
    }
    let path = format!("/api/runbooks/{runbook}");
    let read = Request::sample("approve-runbook").to("GET", &path).send(&api).await.expect(200);
    assert_eq!(read["approvalStatus"], "DRAFT");
}

#[tokio::test]
async fn the_approval_function_does_nothing_else() {
    let approval = Installation::start().await.function("muster-approval").await;
    for (sample, method, path) in [
        ("create-runbook", "POST", "/api/runbooks"),
        ("execute-runbook", "POST", "/api/runbooks/rb_01J9Z3V5K7M9N1P3Q5R7S9T1V3/execute"),
        ("get-execution", "GET", "/api/runbooks"),
        ("get-execution", "GET", "/api/queue/stats"),
    ] {
        Request::sample(sample).to(method, path).send(&approval).await.expect(404);
    }
}

/// For an installation of one person.
#[tokio::test]
async fn self_approval_is_a_setting_of_the_approval_function() {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    let definition = calling("https://control.example.com/restart");
    let create = Request::sample("create-runbook").with_body(&definition).by("ann", "[platform-admin]");
    let created = create.send(&api).await.expect(201);
    let path = format!("/api/runbooks/{}/approve", created["id"].as_str().unwrap());
    let own = Request::sample("approve-runbook").to("POST", &path).by("ann", "[platform-admin]");
    own.send(&installation.function("muster-approval").await).await.expect(403);
    let allowed =
        installation.function_with("muster-approval", &[("MUSTER_ALLOW_SELF_APPROVAL", "true")]).await;
    assert_eq!(own.send(&allowed).await.expect(200)["approvalStatus"], "APPROVED");
}
