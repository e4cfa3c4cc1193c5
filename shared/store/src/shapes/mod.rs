//! The stored shapes, frozen: keys, items and lists. A change that breaks one of these tests breaks stored data.

mod samples;

use muster_app::table::{BodyPart, DUE_SHARDS, Key, PartPlace, Query, Record, TableErrorKind};
use muster_domain::approval::ApprovalState;
use muster_domain::audit::Resource;
use muster_domain::control::Scope;
use muster_domain::freeze::FreezeScope;
use muster_domain::ids::{ExecutionId, IntegrationId, RunbookId};
use muster_domain::time::Time;

use self::samples::{AT, execution_id, incident_id, parent_id, records, runbook_id, step, team, workflow_id};
use crate::items::{Item, MAX_DATA_BYTES, RawItem};
use crate::keys::ItemKey;
use crate::lists::{Entries, Index, Listing, Place};

fn item(record: &Record) -> Item {
    Item::of(record, 1).expect("a sample can be stored")
}

fn raw(item: Item) -> RawItem {
    let Item { key, kind, schema, version, data, .. } = item;
    RawItem { key, kind: kind.as_str().into(), schema, version, data }
}

#[test]
fn stored_items_are_frozen() {
    let mut text = String::new();
    for record in records() {
        let Item { key, kind, schema, version, data, entries, ttl } = item(&record);
        text.push_str(&format!("{} / {}\n", key.pk, key.sk));
        text.push_str(&format!("  kind {} schema {schema} version {version}", kind.as_str()));
        text.push_str(&ttl.map_or(String::new(), |ttl| format!(" ttl {ttl}")));
        text.push('\n');
        for index in Index::ALL {
            if let Some(entry) = entries.get(index) {
                text.push_str(&format!("  {} {} / {}\n", index.name(), entry.pk, entry.sk));
            }
        }
        text.push_str(&format!("  data {data}\n"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_item_reads_back_as_its_record() {
    for record in records() {
        let stored = raw(item(&record)).decode().expect("readable");
        assert_eq!((stored.record, stored.version), (record, 1));
    }
}

/// What makes `damage` of a sound item unreadable.
fn check_corrupt(damage: impl FnOnce(&mut RawItem), expected: &str) {
    let mut item = raw(item(&samples::runbook().into()));
    damage(&mut item);
    let error = item.decode().expect_err("a damaged item is refused");
    let source = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!(error.kind, TableErrorKind::Corrupt);
    assert!(error.doing.contains("RB#"), "{}", error.doing);
    assert!(source.contains(expected), "{source}");
}

#[test]
fn an_item_that_is_not_exactly_what_muster_writes_is_corrupt() {
    check_corrupt(|item| item.schema = 2, "its schema is 2");
    check_corrupt(|item| item.schema = 0, "its schema is 0");
    check_corrupt(|item| item.kind = "saga".into(), "its kind \"saga\" is unknown");
    check_corrupt(|item| item.kind = "execution".into(), "not of its kind");
    check_corrupt(|item| item.data.truncate(20), "not of its kind");
    check_corrupt(|item| item.data = "{}".into(), "not of its kind");
    check_corrupt(|item| item.key.sk = "V#0000000001".into(), "belongs to Runbook(");
}

#[test]
fn an_item_larger_than_an_engine_takes_is_refused() {
    let sized = |bytes: usize| {
        let mut record = samples::idempotency();
        record.reply = "x".repeat(bytes).into();
        Item::of(&record.into(), 1)
    };
    let overhead = sized(0).expect("small").data.len();
    assert_eq!(sized(MAX_DATA_BYTES - overhead).expect("the largest").data.len(), MAX_DATA_BYTES);
    let error = sized(MAX_DATA_BYTES - overhead + 1).expect_err("too large");
    assert_eq!(error.kind, TableErrorKind::Invalid);
}

#[test]
fn keys_parse_back_to_what_they_were_made_of() {
    let more = [
        Key::RunbookVersion(runbook_id(), u32::MAX),
        Key::Body(execution_id(), step(), BodyPart::Response(0)),
        Key::Audit(Resource::Execution(execution_id()), u64::MAX),
        Key::Audit(Resource::Incident(incident_id()), 1),
        Key::Audit(Resource::Control(Scope::Team(team())), 1),
        Key::Audit(Resource::Team(team()), 1),
        Key::Audit(Resource::Approval(execution_id(), step(), 2), 1),
        Key::Audit(Resource::Person("ann".parse().expect("valid")), 1),
        Key::Control(Scope::Global),
        Key::Audit(Resource::Freezes(FreezeScope::Team(team())), 1),
        Key::Audit(Resource::BreakGlass, 1),
        Key::Control(Scope::Runbook(runbook_id())),
    ];
    for key in records().iter().map(Record::key).chain(more) {
        assert_eq!(ItemKey::of(&key).parse(), Ok(key));
    }
}

#[test]
fn only_the_spelling_that_is_written_is_a_key() {
    let (rb, ex) = (runbook_id(), execution_id());
    let digest = "0".repeat(64);
    for (pk, sk) in [
        ("", "HEAD"),
        ("RB", "HEAD"),
        (&format!("RB#{ex}"), "HEAD"),
        (&format!("RB#{rb}"), "head"),
        (&format!("RB#{rb}"), "V#3"),
        (&format!("RB#{rb}"), "V#+000000003"),
        (&format!("RB#{rb}"), "V#99999999999"),
        (&format!("RB#{rb}#EX"), "HEAD"),
        (&format!("DECISION#{rb}"), "HEAD"),
        (&format!("DECISION#{rb}#3"), "HEAD"),
        (&format!("EX#{ex}"), "BODY#webhook"),
        (&format!("EX#{ex}"), "BODY#webhook#response"),
        (&format!("EX#{ex}"), "BODY#webhook#request#1"),
        (&format!("EX#{ex}"), "BODY##request"),
        (&format!("EX#{ex}"), "NOTE#1"),
        (&format!("EX#{ex}"), "APPROVAL#webhook#1"),
        (&format!("EX#{ex}"), "APPROVAL#webhook"),
        (&format!("DECISION#{ex}#webhook#1"), "HEAD"),
        (&format!("DECISION#{ex}#0000000001"), "HEAD"),
        (&format!("AUDIT#approval:{ex}:webhook:02"), "00000000000000000001"),
        ("TEAM#a#b", "HEAD"),
        (&format!("AUDIT#{rb}"), "1"),
        (&format!("IDEM#{}", digest.replace('0', "g")), "HEAD"),
        (&format!("IDEM#{}", digest.replace('0', "A")), "HEAD"),
        (&format!("IDEM#0{digest}"), "HEAD"),
        ("CONTROL#world", "HEAD"),
        ("CONTROL#team:a", "BREAKGLASS"),
        ("CONTROL#global", "FREEZES"),
        ("WF#1", "HEAD"),
        ("ACCOUNT#12345678901", "HEAD"),
        ("CANDIDATES#", "HEAD"),
        ("CANDIDATES#*", "often#wf_1"),
        ("STARTS#wf_1", "HEAD"),
    ] {
        let key = ItemKey { pk: pk.into(), sk: sk.into() };
        assert!(key.parse().is_err(), "{pk} / {sk}");
    }
}

fn sample(is_it: impl Fn(&Record) -> bool) -> Record {
    records().into_iter().find(|record| is_it(record)).expect("a sample of each kind")
}

/// The list finds the record by one of its index entries, or in its own partition, and a page can go on after it.
fn check_list(query: Query, record: &Record) {
    let (listing, key, entries) = (Listing::of(&query), ItemKey::of(&record.key()), Entries::of(record));
    let sort_key = match listing.place {
        Place::Table => &key.sk,
        Place::Index(index) => &entries.get(index).expect("the record is in the index").sk,
    };
    assert!(listing.includes(record), "{query:?}");
    assert_eq!(listing.base_key(&query, sort_key), Some(key), "{query:?}");
}

#[test]
fn every_list_of_runbooks_and_incidents_finds_its_records() {
    let runbook = sample(|record| matches!(record, Record::Runbook(_)));
    check_list(Query::Runbooks, &runbook);
    check_list(Query::RunbooksOfTeam { team: team() }, &runbook);
    let version = sample(|record| matches!(record, Record::RunbookVersion(_)));
    check_list(Query::VersionsOfRunbook { runbook: runbook_id() }, &version);
    let incident = sample(|record| matches!(record, Record::Incident(_)));
    check_list(Query::Incidents, &incident);
    check_list(Query::IncidentsOfTeam { team: team() }, &incident);
    let account = sample(|record| matches!(record, Record::Account(_)));
    check_list(Query::Accounts, &account);
    check_list(Query::AccountsOfTeam { team: team() }, &account);
}

#[test]
fn every_list_of_decisions_finds_its_parts_and_no_later_ones() {
    let why = sample(|record| matches!(record, Record::Why(_)));
    let Record::Why(part) = &why else { panic!("a part") };
    let list = |event: &str, part_number| {
        let up_to = Some(PartPlace { at: part.event_at, event: event.to_owned(), part: part_number });
        Query::DecisionsOfIncident { incident: incident_id(), up_to }
    };
    check_list(Query::DecisionsOfIncident { incident: incident_id(), up_to: None }, &why);
    check_list(list(&part.event, part.part), &why);
    let (at, event) = (part.event_at, part.event.clone());
    check_list(Query::DecisionsOfEvent { incident: incident_id(), at, event }, &why);
    let sort_key = ItemKey::of(&why.key()).sk;
    let other = Query::DecisionsOfEvent { incident: incident_id(), at, event: format!("{}0", part.event) };
    for query in [list(&part.event, part.part - 1), list(" ", 9), other] {
        assert_eq!(Listing::of(&query).base_key(&query, &sort_key), None, "{query:?}");
    }
}

#[test]
fn every_list_of_executions_and_audit_entries_finds_its_records() {
    let execution = sample(|record| matches!(record, Record::Execution(_)));
    check_list(Query::ExecutionsOfRunbook { runbook: runbook_id() }, &execution);
    check_list(Query::ExecutionsOfIncident { incident: incident_id() }, &execution);
    check_list(Query::ExecutionsOfParent { parent: parent_id() }, &execution);
    check_list(Query::Due { shard: 3, until: AT }, &execution);
    let owed = sample(|record| matches!(record, Record::Notification(_)));
    check_list(Query::NotificationsOfExecution { execution: execution_id() }, &owed);
    check_list(Query::Due { shard: 3, until: AT }, &owed);
    let approval = sample(|record| matches!(record, Record::Approval(_)));
    check_list(Query::ApprovalsOfExecution { execution: execution_id() }, &approval);
    check_list(Query::OpenApprovals { team: None }, &approval);
    check_list(Query::OpenApprovals { team: Some(team()) }, &approval);
    check_list(Query::Due { shard: 3, until: AT }, &approval);
    let entry = sample(|record| matches!(record, Record::Audit(_)));
    let day = "2026-03-01".to_owned();
    check_list(Query::AuditOfDay { team: Some(team()), day }, &entry);
    check_list(Query::AuditOfResource { resource: Resource::Runbook(runbook_id()) }, &entry);
}

#[test]
fn a_list_leaves_out_what_its_index_still_shows_but_the_record_no_longer_is() {
    let mut runbook = samples::runbook();
    runbook.deleted_at = Some(AT);
    assert!(!Listing::of(&Query::Runbooks).includes(&runbook.into()));
    let mut execution = samples::execution();
    execution.due_at = Some(Time::from_millis(AT.millis() + 1));
    let execution = Record::from(execution);
    assert!(!Listing::of(&Query::Due { shard: 3, until: AT }).includes(&execution));
    let other = Query::ExecutionsOfRunbook { runbook: RunbookId::new(AT, 9) };
    assert!(!Listing::of(&other).includes(&execution));
}

#[test]
fn an_approval_that_is_closed_is_in_no_list_but_stays_due_until_it_is_settled() {
    let mut approval = samples::approval();
    approval.state = ApprovalState::Approved;
    let entries = Entries::of(&approval.clone().into());
    assert_eq!([&entries.list1, &entries.list2], [&None, &None]);
    assert!(entries.due.is_some());
    assert_eq!(Entries::of(&approval.settled().into()), Entries::default());
}

#[test]
fn a_sort_key_of_another_list_is_refused() {
    let versions = Query::VersionsOfRunbook { runbook: runbook_id() };
    let due = Query::Due { shard: 0, until: AT };
    let execution = ItemKey::of(&Key::Execution(execution_id())).pk;
    for (query, sort_key) in [
        (&versions, "HEAD".to_owned()),
        (&versions, String::new()),
        (&Query::Runbooks, execution_id().to_string()),
        (&Query::Incidents, "~".into()),
        (&due, execution.clone()),
        (&due, format!("{:015}#{execution}", AT.millis() + 1)),
    ] {
        assert_eq!(Listing::of(query).base_key(query, &sort_key), None, "{query:?} {sort_key}");
    }
}

#[test]
fn what_is_deleted_or_not_due_is_in_no_index() {
    let mut runbook = samples::runbook();
    runbook.deleted_at = Some(AT);
    assert_eq!(Entries::of(&runbook.into()), Entries::default());
    let mut execution = samples::execution();
    (execution.due_at, execution.incident, execution.parent) = (None, None, None);
    let entries = Entries::of(&execution.into());
    assert_eq!([&entries.list2, &entries.list3, &entries.due], [&None, &None, &None]);
}

#[test]
fn a_team_named_like_a_placeholder_is_not_mistaken_for_no_team() {
    let day = "2026-03-01".to_owned();
    let none = Listing::of(&Query::AuditOfDay { team: None, day: day.clone() }).partition;
    for team in ["-", ".", "_"] {
        let team = Some(team.parse().expect("valid"));
        assert_ne!(Listing::of(&Query::AuditOfDay { team, day: day.clone() }).partition, none);
    }
}

#[test]
fn due_times_sort_as_text_up_to_the_end_of_time() {
    let sort_key = |millis: i64| {
        let mut execution = samples::execution();
        execution.due_at = Some(Time::from_millis(millis));
        Entries::of(&execution.into()).due.expect("due").sk
    };
    let until = |millis| Listing::of(&Query::Due { shard: 0, until: Time::from_millis(millis) }).below;
    assert!(sort_key(9) < sort_key(10));
    assert!(sort_key(10) < until(10));
    assert!(sort_key(11) > until(10));
    assert!(sort_key(i64::MAX) < until(i64::MAX));
}

#[test]
fn the_due_index_uses_every_shard() {
    let mut sizes = [0_u32; DUE_SHARDS as usize];
    for random in 0..800 {
        let mut execution = samples::execution();
        execution.id = ExecutionId::new(AT, random);
        let due = Entries::of(&execution.into()).due.expect("due");
        let shard: usize = due.pk.strip_prefix("DUE#").and_then(|shard| shard.parse().ok()).expect("a shard");
        sizes[shard] += 1;
    }
    assert!(sizes.iter().all(|size| (50..150).contains(size)), "{sizes:?}");
}

/// The rows of the table in `docs/DATA-MODEL.md`, with names instead of values.
fn documented_rows() -> String {
    let names = [
        (parent_id().to_string(), "<parent>"),
        (workflow_id().to_string(), "<workflow>"),
        (IntegrationId::new(AT, 6).to_string(), "<integration>"),
        (execution_id().to_string(), "<execution>"),
        (runbook_id().to_string(), "<runbook>"),
        (incident_id().to_string(), "<incident>"),
        (samples::digest().to_string(), "<digest>"),
        (samples::target_key().digest().to_string(), "<target>"),
        (samples::account().id.to_string(), "<account>"),
        ("payments".into(), "<team>"),
        ("webhook".into(), "<step>"),
        ("ann@example.com".into(), "<user>"),
    ];
    let mut rows = String::new();
    for record in records() {
        let Item { key, kind, entries, .. } = item(&record);
        let place = |pk: &str, sk: &str| format!("`{pk}` / `{sk}`");
        let in_index = |index| entries.get(index).map_or("–".into(), |entry| place(&entry.pk, &entry.sk));
        let cells = Index::ALL.map(in_index).join(" | ");
        rows.push_str(&format!("| {} | {} | {cells} |\n", kind.as_str(), place(&key.pk, &key.sk)));
    }
    names.into_iter().fold(rows, |rows, (value, name)| rows.replace(&value, name))
}

#[test]
fn the_data_model_document_shows_every_key() {
    let document = include_str!("../../../../docs/DATA-MODEL.md");
    let is_row = |line: &&str| line.starts_with("| ") && line.contains("` / `");
    let documented: Vec<&str> = document.lines().filter(is_row).collect();
    let rows = documented_rows();
    assert_eq!(documented, rows.lines().collect::<Vec<_>>(), "docs/DATA-MODEL.md should hold:\n{rows}");
}
