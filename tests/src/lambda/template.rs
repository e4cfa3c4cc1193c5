//! `infra/template.yaml` against the code: what is deployed must fit what was built.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use muster_app::table::{BodyPart, Key};
use muster_aws::config::{
    ApiConfig, ApprovalConfig, DeadLetterConfig, FromEnvironment, MatcherConfig, SweeperConfig, WorkerConfig,
    read,
};
use muster_domain::audit::Resource;
use muster_domain::control::Scope;
use muster_domain::digest::Digest;
use muster_domain::time::Time;
use muster_domain::workflow::TriggerKind;
use muster_store::keys::ItemKey;
use muster_store::lists::Index;
use serde_json::Value;

/// The variable that no template of an installation sets.
const ONLY_EMULATED: &str = "MUSTER_LOOPBACK_EGRESS";

/// The template as data. Its short forms (`!Ref Name`, `!Sub text`) become the text or list that follows them.
pub(crate) fn template() -> Value {
    let text = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    serde_saphyr::from_str(&without_tags(&text)).unwrap()
}

/// The names of the variables that the template gives to the function with this binary.
pub(crate) fn variables_of(binary: &str) -> BTreeSet<String> {
    let template = template();
    let (_, function) = functions(&template).find(|(_, function)| binary_of(function) == binary).unwrap();
    let variables = function.pointer("/Properties/Environment/Variables").unwrap().as_object().unwrap();
    variables.keys().cloned().collect()
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn without_tags(text: &str) -> String {
    let mut parts = text.split('!');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        // A tag ends where a space or a line does; any other exclamation mark is text.
        if rest.len() < part.len() && rest.starts_with([' ', '\n']) {
            plain.push_str(rest);
        } else {
            plain.push('!');
            plain.push_str(part);
        }
    }
    plain
}

pub(super) fn resources<'t>(
    template: &'t Value,
    kind: &'static str,
) -> impl Iterator<Item = (&'t str, &'t Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    all.filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), resource))
}

pub(super) fn functions(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    resources(template, "AWS::Serverless::Function")
}

pub(super) fn binary_of(function: &Value) -> &str {
    function.pointer("/Metadata/BuildProperties/Binary").unwrap().as_str().unwrap()
}

/// The statements of the policies of a role's own.
pub(super) fn statements<'t>(template: &'t Value, role: &str) -> impl Iterator<Item = &'t Value> {
    let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap();
    policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
}

pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap()).collect(),
        Value::String(text) => vec![text],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => panic!("no texts: {value}"),
    }
}

pub(super) fn allows(statement: &Value, action: &str) -> bool {
    statement["Effect"] == "Allow" && texts(&statement["Action"]).contains(&action)
}

/// The names that a configuration asks the environment for.
fn asked<C: FromEnvironment>() -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    let source = |name: &str| {
        names.borrow_mut().insert(name.to_owned());
        None
    };
    assert!(read::<C>(&source).is_err(), "an empty environment is not enough for any function");
    names.into_inner()
}

#[test]
fn every_function_gets_the_variables_that_it_reads_and_no_others() {
    let read = BTreeMap::from([
        ("muster-api", asked::<ApiConfig>()),
        ("muster-approval", asked::<ApprovalConfig>()),
        ("muster-dead-letter", asked::<DeadLetterConfig>()),
        ("muster-matcher", asked::<MatcherConfig>()),
        ("muster-sweeper", asked::<SweeperConfig>()),
        ("muster-worker", asked::<WorkerConfig>()),
    ]);
    let template = template();
    let binaries: BTreeSet<&str> = functions(&template).map(|(_, function)| binary_of(function)).collect();
    assert_eq!(binaries, read.keys().copied().collect());
    for (binary, mut names) in read {
        // inv_d1: what opens an address on loopback is for an emulator, whose overlay adds it.
        assert_eq!(names.remove(ONLY_EMULATED), binary == "muster-worker", "{binary}");
        assert_eq!(variables_of(binary), names, "{binary}");
    }
}

#[test]
fn every_function_is_built_from_the_package_that_has_its_binary() {
    let template = template();
    for (name, function) in functions(&template) {
        let properties = &function["Properties"];
        let source = properties["CodeUri"].as_str().unwrap().trim_start_matches("../");
        let manifest = fs::read_to_string(root().join(source).join("Cargo.toml")).unwrap();
        let package = format!("name = \"{}\"", binary_of(function));
        assert!(manifest.contains(&package), "{name} is built from {source}, which has no {package}");
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
    }
    let packages =
        fs::read_dir(root().join("functions")).unwrap().flatten().filter(|entry| entry.path().is_dir());
    assert_eq!(packages.count(), functions(&template).count());
}

/// One key of every kind.
fn keys() -> Vec<Key> {
    let runbook = || "rb_01J9Z3V5K7M9N1P3Q5R7S9T1V3".parse().unwrap();
    let workflow = || "wf_01J9Z3Y6E8F0G2H4J6K8M0N2P4".parse().unwrap();
    let execution = || "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap();
    vec![
        Key::Runbook(runbook()),
        Key::RunbookVersion(runbook(), 1),
        Key::Decision(runbook(), 1),
        Key::Execution(execution()),
        Key::Body(execution(), "call".parse().unwrap(), BodyPart::Request),
        Key::Approval(execution(), "call".parse().unwrap(), 1),
        Key::Ledger(execution(), "call".parse().unwrap(), 1),
        Key::Incident("inc_01J9Z3X4C6D8E0F2G4H6J8K0M2".parse().unwrap()),
        Key::IncidentEvent("inc_01J9Z3X4C6D8E0F2G4H6J8K0M2".parse().unwrap(), 1),
        Key::Workflow(workflow()),
        Key::WorkflowVersion(workflow(), 1),
        Key::Candidates(None),
        Key::Candidate(None, TriggerKind::Manual, workflow()),
        Key::Integration("int_01J9Z3X4C6D8E0F2G4H6J8K0M2".parse().unwrap()),
        Key::Why(
            "inc_01J9Z3X4C6D8E0F2G4H6J8K0M2".parse().unwrap(),
            Time::EPOCH,
            "inc_01J9Z3X4C6D8E0F2G4H6J8K0M2-1".into(),
            0,
        ),
        Key::Starts(workflow(), 1),
        Key::AgeCursor(workflow()),
        Key::Account("123456789012".parse().unwrap()),
        Key::Alert(Digest::of_bytes(b"")),
        Key::Seen(Digest::of_bytes(b"")),
        Key::Notification(execution(), 1),
        Key::AskingNote(execution(), "call".parse().unwrap(), 1, 1),
        Key::Team("ops".parse().unwrap()),
        Key::Person("ann".parse().unwrap()),
        Key::Audit(Resource::Runbook(runbook()), 1),
        Key::Idempotency(Digest::of_bytes(b"")),
        Key::Control(Scope::Global),
        Key::Target(Digest::of_bytes(b"")),
        Key::Usage(runbook()),
        Key::BreakGlass,
    ]
}

/// The functions whose use cases write records of this kind.
fn writers(key: &Key) -> &'static [&'static str] {
    match key {
        Key::Runbook(..) | Key::RunbookVersion(..) | Key::Idempotency(..) => {
            &["muster-api", "muster-approval"]
        }
        Key::Decision(..) | Key::Ledger(..) => &["muster-approval"],
        // Who answers in Slack is owed word of what came of it.
        Key::Approval(..) | Key::AskingNote(..) => &[
            "muster-api",
            "muster-approval",
            "muster-worker",
            "muster-matcher",
            "muster-sweeper",
            "muster-dead-letter",
        ],
        Key::Execution(..) | Key::Body(..) | Key::Notification(..) => {
            &["muster-api", "muster-worker", "muster-matcher", "muster-sweeper", "muster-dead-letter"]
        }
        Key::IncidentEvent(..) => &["muster-api", "muster-worker", "muster-matcher", "muster-sweeper"],
        Key::Incident(..) | Key::Alert(..) | Key::Seen(..) => &["muster-api", "muster-matcher"],
        Key::Control(..)
        | Key::BreakGlass
        | Key::Integration(..)
        | Key::Team(..)
        | Key::Person(..)
        | Key::Account(..)
        | Key::Workflow(..)
        | Key::WorkflowVersion(..)
        | Key::Candidates(..)
        | Key::Candidate(..) => &["muster-api"],
        Key::Why(..) | Key::Starts(..) => &["muster-matcher", "muster-sweeper"],
        Key::AgeCursor(..) => &["muster-sweeper"],
        // Whoever ends an execution gives back what it holds.
        Key::Target(..) => &["muster-api", "muster-worker", "muster-dead-letter"],
        Key::Usage(..) => &["muster-worker"],
        Key::Audit(..) => &[
            "muster-api",
            "muster-approval",
            "muster-worker",
            "muster-matcher",
            "muster-sweeper",
            "muster-dead-letter",
        ],
    }
}

/// As roles name it: `RB#*` for everything about a runbook.
fn family(key: &Key) -> String {
    let item = ItemKey::of(key);
    let (family, _) = item.pk.split_once('#').unwrap();
    format!("{family}#*")
}

/// The role of a function, by the name of its resource.
pub(super) fn role_of(function: &Value) -> &str {
    function["Properties"]["Role"].as_str().unwrap().trim_end_matches(".Arn")
}

#[test]
fn inv_c2_every_role_may_write_what_its_function_writes_and_nothing_else() {
    let template = template();
    for (_, function) in functions(&template) {
        let binary = binary_of(function);
        let written = keys().into_iter().filter(|key| writers(key).contains(&binary));
        let puts = statements(&template, role_of(function)).filter(|one| allows(one, "dynamodb:PutItem"));
        let allowed =
            puts.flat_map(|one| texts(&one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]));
        let allowed: BTreeSet<String> = allowed.map(str::to_owned).collect();
        assert_eq!(allowed, written.map(|key| family(&key)).collect(), "{binary}");
    }
}

#[test]
fn the_worker_alone_publishes_and_only_to_the_bus_of_the_installation() {
    let template = template();
    for (_, function) in functions(&template) {
        let publishes =
            statements(&template, role_of(function)).filter(|one| allows(one, "events:PutEvents"));
        let places: Vec<&str> = publishes.flat_map(|one| texts(&one["Resource"])).collect();
        let expected = if binary_of(function) == "muster-worker" { vec!["EventBus.Arn"] } else { vec![] };
        assert_eq!(places, expected, "{}", binary_of(function));
    }
}

#[test]
fn inv_c2_only_the_approval_function_may_write_decisions_whatever_is_allowed_later() {
    let template = template();
    for (_, function) in functions(&template) {
        let role = &template["Resources"][role_of(function)]["Properties"];
        let attached = role["ManagedPolicyArns"].as_array().unwrap();
        let guarded = attached.contains(&Value::from("DecisionGuard"));
        assert_eq!(guarded, binary_of(function) != "muster-approval");
        assert!(attached.contains(&Value::from("TableGuard")));
    }
}

#[test]
fn the_table_has_the_indexes_of_the_store_and_each_function_reads_those_it_needs() {
    let template = template();
    let (_, table) = resources(&template, "AWS::DynamoDB::Table").next().unwrap();
    let built: Vec<&Value> =
        table["Properties"]["GlobalSecondaryIndexes"].as_array().unwrap().iter().collect();
    assert_eq!(built.len(), Index::ALL.len());
    for (index, built) in Index::ALL.into_iter().zip(built) {
        let attribute = |number: usize| &built["KeySchema"][number]["AttributeName"];
        assert_eq!(built["IndexName"], index.name());
        assert_eq!(
            (attribute(0), attribute(1)),
            (&index.pk_attribute().into(), &index.sk_attribute().into())
        );
        assert_eq!(built["Projection"]["ProjectionType"], "KEYS_ONLY");
    }
    for (binary, names) in [
        ("muster-api", vec!["list1", "list2", "due"]),
        ("muster-sweeper", vec!["list1", "list3", "list4", "due"]),
        ("muster-worker", vec!["list1", "list2"]),
        ("muster-approval", vec![]),
        ("muster-dead-letter", vec![]),
        ("muster-matcher", vec![]),
    ] {
        let (_, function) = functions(&template).find(|(_, function)| binary_of(function) == binary).unwrap();
        let queries = statements(&template, role_of(function)).filter(|one| allows(one, "dynamodb:Query"));
        let places = queries.flat_map(|one| texts(&one["Resource"]));
        let indexes: Vec<&str> =
            places.filter_map(|place| place.split_once("/index/")).map(|(_, name)| name).collect();
        assert_eq!(indexes, names, "{binary}");
    }
}

#[test]
fn inv_a3_queues_deliver_failed_messages_again_and_only_those() {
    let template = template();
    let events =
        functions(&template).filter_map(|(_, function)| function["Properties"]["Events"].as_object());
    let of_queues: Vec<&Value> =
        events.flat_map(|events| events.values()).filter(|event| event["Type"] == "SQS").collect();
    assert_eq!(of_queues.len(), 2);
    for event in of_queues {
        assert_eq!(texts(&event["Properties"]["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    }
}

#[test]
fn inv_a4_dead_letters_outlive_the_messages_they_were() {
    let template = template();
    let days = |queue: &str| {
        template["Resources"][queue]["Properties"]["MessageRetentionPeriod"].as_u64().unwrap() / 86_400
    };
    assert_eq!((days("WorkQueue"), days("DeadLetterQueue"), days("ParkingQueue")), (4, 14, 14));
}

#[test]
fn inv_a5_every_asynchronous_hop_has_a_queue_for_its_failures() {
    let template = template();
    for queue in ["WorkQueue", "DeadLetterQueue"] {
        let redrive = &template["Resources"][queue]["Properties"]["RedrivePolicy"];
        assert!(redrive["deadLetterTargetArn"].is_string(), "{queue}");
    }
    for (rule, properties) in resources(&template, "AWS::Events::Rule") {
        for target in properties["Properties"]["Targets"].as_array().unwrap() {
            assert!(target["DeadLetterConfig"]["Arn"].is_string(), "{rule}");
            let function = target["Arn"].as_str().unwrap().trim_end_matches(".Alias");
            let invoked = &template["Resources"][function]["Properties"]["EventInvokeConfig"];
            assert_eq!(invoked["DestinationConfig"]["OnFailure"]["Type"], "SQS", "{function}");
        }
    }
}

/// Every rule names the queue of undelivered events, which takes them from the rules in its policy alone.
#[test]
fn inv_a5_the_queue_of_undelivered_events_takes_them_from_every_rule() {
    let template = template();
    let statements =
        &template["Resources"]["EventDeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let sources = statements[0]["Condition"]["ArnEquals"]["aws:SourceArn"].to_string();
    for (rule, _) in resources(&template, "AWS::Events::Rule") {
        assert!(sources.contains(&format!("{rule}.Arn")), "{rule}");
    }
}

/// If the count of the work queue stayed with it, a dead letter would be parked before its function saw it.
#[test]
fn inv_a4_a_dead_letter_may_be_received_after_all_receipts_of_the_work_queue() {
    let template = template();
    let most = |queue: &str| {
        template["Resources"][queue]["Properties"]["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap()
    };
    assert!(most("DeadLetterQueue") >= 2 * most("WorkQueue"));
}

#[test]
fn a_message_stays_hidden_until_every_try_of_its_function_is_over() {
    let template = template();
    for (queue, function) in [("WorkQueue", "WorkerFunction"), ("DeadLetterQueue", "DeadLetterFunction")] {
        let seconds = |resource: &str, name: &str| {
            template["Resources"][resource]["Properties"][name].as_u64().unwrap()
        };
        assert_eq!(seconds(queue, "VisibilityTimeout"), 6 * seconds(function, "Timeout"));
    }
}

#[test]
fn the_alarm_for_what_is_owed_watches_the_metric_that_the_sweeper_writes() {
    let template = template();
    let alarm = &template["Resources"]["OwedAgeAlarm"]["Properties"];
    assert_eq!(alarm["MetricName"], muster_app::metrics::OLDEST_OWED_AGE);
    assert_eq!(alarm["Namespace"], "Muster");
    assert_eq!(alarm["Dimensions"][0]["Name"], "Environment");
}
