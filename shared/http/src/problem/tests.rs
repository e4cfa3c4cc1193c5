use muster_app::table::{TableError, TableErrorKind};
use muster_domain::control::Scope;
use muster_domain::ids::FreezeId;
use muster_domain::policy::Denied;
use muster_domain::runbook::VersionStatus;
use muster_domain::time::Time;
use serde_json::{Value, json};

use super::*;

/// An error is answered with this status and kind, and these members.
fn check(error: Error, status: u16, kind: &str, members: Value) {
    let problem = Problem::from(error);
    let body = problem.body();
    assert_eq!(problem.details.status, status, "{body}");
    assert_eq!(body["type"], format!("/problems/{kind}"), "{body}");
    for (name, value) in members.as_object().into_iter().flatten() {
        assert_eq!(&body[name], value, "{name} of {body}");
    }
}

fn table_error(kind: TableErrorKind) -> Error {
    let source = Some("password=hunter2 at /var/lib".into());
    let doing = "reading a record".into();
    Error::Table(TableError { doing, kind, source })
}

#[test]
fn inv_e4_every_refusal_has_a_declared_status() {
    let (kind, id) = ("runbook", "rb_1".into());
    let detail = json!({"detail": "there is no runbook rb_1"});
    check(Error::NotFound { kind, id }, 404, "not-found", detail);
    check(Denied::Role("auditor".into()).into(), 403, "forbidden", json!({}));
    let fault = Fault::new("/name", "is empty");
    let errors = json!({"errors": [{"pointer": "/name", "message": "is empty"}]});
    check(Error::Invalid(vec![fault]), 400, "invalid", errors);
    check(Error::Conflict("no".into()), 409, "conflict", json!({"detail": "no"}));
    let (scope, reason) = (Scope::Global, "drill".into());
    let killed = Error::KillSwitch { scope, reason };
    check(killed, 409, "kill-switch", json!({"scope": "global"}));
    let frozen = json!({"window": FreezeId::new(Time::EPOCH, 1), "name": "Sale", "scope": "global", "until": 0, "reason": "busy"});
    let frozen = serde_json::from_value(frozen).expect("a freeze");
    let members = json!({"scope": "global", "until": "1970-01-01T00:00:00.000Z"});
    check(Error::Frozen(Box::new(frozen)), 409, "frozen", members);
    let user = || "ann".parse().expect("valid");
    check(Refusal::OwnWord { by: user() }.into(), 403, "forbidden", json!({}));
    check(Refusal::OwnWork { user: user() }.into(), 403, "forbidden", json!({}));
    check(Refusal::NotAnApprover { may: Vec::new() }.into(), 403, "forbidden", json!({}));
    check(Refusal::Again { by: user() }.into(), 409, "approval-closed", json!({}));
    let subject = muster_domain::digest::Digest::of_bytes(b"");
    check(Refusal::OtherDigest(subject).into(), 409, "other-digest", json!({}));
    check(Refusal::ReasonMissing.into(), 400, "invalid", json!({}));
    check(WithdrawRefusal::Passed.into(), 409, "approval-closed", json!({}));
    check(WithdrawRefusal::NotYours { of: user() }.into(), 403, "forbidden", json!({}));
    let etag = json!({"currentETag": "\"7\""});
    check(Error::Stale { current: 7 }, 412, "stale", etag);
    check(Error::IdempotencyMismatch, 422, "idempotency-mismatch", json!({}));
    check(Error::InvalidCursor, 400, "invalid-cursor", json!({}));
    check(Error::NotFromSlack, 401, "unauthenticated", json!({}));
    check(Error::Unverified, 401, "unauthenticated", json!({}));
}

#[test]
fn a_status_that_does_not_allow_it_is_named() {
    let current = VersionStatus::Draft;
    let members = json!({"detail": "Only APPROVED runbooks can be executed", "currentStatus": "DRAFT"});
    check(Error::NotApproved { current }, 400, "not-approved", members);
    let (message, current) = ("no".to_owned(), VersionStatus::Deprecated);
    let error = Error::WrongLifecycle { message, current };
    check(error, 400, "wrong-lifecycle", json!({"currentStatus": "DEPRECATED"}));
    let (message, current) = ("no".to_owned(), "COMPLETED");
    let error = Error::WrongStatus { message, current };
    check(error, 409, "wrong-status", json!({"currentStatus": "COMPLETED"}));
}

#[test]
fn inv_e4_every_failure_has_a_declared_status() {
    check(Error::Contention, 503, "unavailable", json!({}));
    check(Error::NoTime, 503, "unavailable", json!({}));
    for (kind, status, name) in [
        (TableErrorKind::Unavailable, 503, "unavailable"),
        (TableErrorKind::Full, 503, "unavailable"),
        (TableErrorKind::Corrupt, 500, "internal"),
        (TableErrorKind::Invalid, 500, "internal"),
    ] {
        check(table_error(kind), status, name, json!({}));
    }
}

#[test]
fn inv_f3_a_failure_shows_nothing_of_its_cause() {
    for kind in [TableErrorKind::Unavailable, TableErrorKind::Corrupt] {
        let text = Problem::from(table_error(kind)).body().to_string();
        assert!(!text.contains("hunter2") && !text.contains("record"), "{text}");
    }
}

#[test]
fn what_may_succeed_later_says_when_to_try_again() {
    let response = Problem::from(Error::Contention).into_response();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["content-type"], MEDIA_TYPE);
}

#[test]
fn the_documentation_has_a_row_for_each_kind() {
    let text = include_str!("../../../../docs/API.md");
    for kind in Kind::ALL {
        let row = format!("| `{}` | {} | {} |", kind.uri(), kind.status(), kind.title());
        assert!(text.contains(&row), "docs/API.md lacks the row {row}");
    }
    let rows = text.lines().filter(|line| line.starts_with("| `/problems/")).count();
    assert_eq!(rows, Kind::ALL.len(), "docs/API.md has a row for a kind that does not exist");
}
