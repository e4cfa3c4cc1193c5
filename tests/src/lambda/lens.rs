//! The template against what AWS asks of a serverless application: to be watched, encrypted, recoverable, and changed with care.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{binary_of, functions, resources, template};

/// The alarms of a metric on one function, queue or other thing.
fn alarms<'t>(template: &'t Value, metric: &'static str, of: &'t str) -> impl Iterator<Item = &'t Value> {
    let alarms = resources(template, "AWS::CloudWatch::Alarm").map(|(_, alarm)| &alarm["Properties"]);
    alarms.filter(move |alarm| alarm["MetricName"] == metric && alarm["Dimensions"][0]["Value"] == of)
}

#[test]
fn every_function_has_an_alarm_for_errors_throttles_and_slow_calls() {
    let template = template();
    for (name, function) in functions(&template) {
        let [errors, throttles, slow] =
            ["Errors", "Throttles", "Duration"].map(|metric| alarms(&template, metric, name).next().unwrap());
        // A canary of five minutes must be seen to fail.
        assert_eq!((&errors["Period"], &errors["Threshold"]), (&60.into(), &0.into()), "{name}");
        assert_eq!(throttles["Threshold"], 0, "{name}");
        let timeout = function["Properties"]["Timeout"].as_u64().unwrap();
        assert_eq!(slow["Threshold"], timeout * 1_000 * 80 / 100, "{name}");
        assert_eq!(slow["ExtendedStatistic"], "p99", "{name}");
    }
}

#[test]
fn every_alarm_tells_somebody_and_is_left_out_of_incidents_by_its_name() {
    let template = template();
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        assert_eq!(properties["AlarmActions"][0], "AlarmTopic", "{name}");
        let full = properties["AlarmName"].as_str().unwrap();
        assert!(full.starts_with("${AWS::StackName}-"), "{name}");
    }
}

#[test]
fn dead_letters_and_what_waits_for_a_person_are_watched() {
    let template = template();
    let visible = "ApproximateNumberOfMessagesVisible";
    for (metric, of) in [
        (visible, "DeadLetterQueue.QueueName"),
        (visible, "ParkingQueue.QueueName"),
        (visible, "EventDeadLetterQueue.QueueName"),
        ("ApproximateAgeOfOldestMessage", "DeadLetterQueue.QueueName"),
        ("ApproximateAgeOfOldestMessage", "WorkQueue.QueueName"),
        (muster_app::metrics::OLDEST_OWED_AGE, "Environment"),
        (muster_app::metrics::WAITING_FOR_REVIEW, "Environment"),
    ] {
        assert_eq!(alarms(&template, metric, of).count(), 1, "{metric} of {of}");
    }
}

#[test]
fn data_is_encrypted_and_outlives_mistakes() {
    let template = template();
    let table = &template["Resources"]["MusterTable"];
    assert_eq!(
        (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
        (&"Retain".into(), &"Retain".into())
    );
    for switch in [
        "/SSESpecification/SSEEnabled",
        "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
        "/DeletionProtectionEnabled",
    ] {
        assert_eq!(table["Properties"].pointer(switch), Some(&true.into()), "{switch}");
    }
    let queues: Vec<_> = resources(&template, "AWS::SQS::Queue").collect();
    assert_eq!(queues.len(), 4);
    for (name, queue) in queues {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
}

#[test]
fn logs_end_the_api_keeps_its_own_and_is_throttled() {
    let template = template();
    for (name, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"], "LogRetentionDays", "{name}");
    }
    let api = &template["Resources"]["HttpApi"]["Properties"];
    assert_eq!(api["AccessLogSettings"]["DestinationArn"], "AccessLogGroup.Arn");
    assert_eq!(api["DefaultRouteSettings"]["ThrottlingRateLimit"], "ThrottleRate");
    assert_eq!(api["DefaultRouteSettings"]["ThrottlingBurstLimit"], "ThrottleBurst");
}

#[test]
fn everything_that_costs_is_tagged_and_functions_are_arm64() {
    let template = template();
    assert_eq!(template["Globals"]["Function"]["Architectures"][0], "arm64");
    let by_name = [&template["Globals"]["Function"], &template["Resources"]["HttpApi"]["Properties"]];
    for tagged in by_name {
        assert_eq!(tagged["Tags"]["application"], "muster");
    }
    for kind in ["AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::EventBus", "AWS::SNS::Topic"] {
        for (name, resource) in resources(&template, kind) {
            let keys = resource["Properties"]["Tags"].as_array().unwrap().iter().map(|tag| &tag["Key"]);
            assert_eq!(keys.collect::<Vec<_>>(), ["application", "environment"], "{name}");
        }
    }
}

#[test]
fn a_new_installation_is_asked_for_five_things_at_most() {
    let template = template();
    let parameters = template["Parameters"].as_object().unwrap().values();
    assert!(parameters.filter(|parameter| parameter["Default"].is_null()).count() <= 5);
}

#[test]
fn saved_queries_ask_for_what_is_logged() {
    let template = template();
    let queries: Vec<&str> = resources(&template, "AWS::Logs::QueryDefinition")
        .map(|(_, query)| query["Properties"]["QueryString"].as_str().unwrap())
        .collect();
    assert_eq!(queries.len(), 4);
    let source = include_str!("../../../shared/app/src/executions/ended.rs");
    for (query, names) in [
        ("did not succeed", vec!["an execution did not succeed", "subject_id", "execution_id", "status"]),
        ("correlation_id = ", vec![]),
        ("platform.report", vec![]),
        ("status like /^4/", vec![]),
    ] {
        let text = queries.iter().find(|text| text.contains(query)).unwrap();
        for name in names {
            assert!(text.contains(name) && source.contains(name), "{name}");
        }
    }
}

/// Else the alias would stay at a version whose variables are out of date.
#[test]
fn a_parameter_that_a_function_depends_on_makes_a_new_version_of_it_and_no_other() {
    let template = template();
    let parameters: BTreeSet<&str> =
        template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    for (_, function) in functions(&template) {
        let properties = &function["Properties"];
        let mut used = BTreeSet::from(["Tracing"]);
        parameters_in(&properties["Environment"]["Variables"], &parameters, &mut used);
        let mut described = BTreeSet::new();
        parameters_in(&properties["VersionDescription"], &parameters, &mut described);
        assert_eq!(described, used, "{}", binary_of(function));
    }
}

/// The parameters that a value names, alone or within a text.
fn parameters_in<'p>(value: &Value, parameters: &BTreeSet<&'p str>, found: &mut BTreeSet<&'p str>) {
    match value {
        Value::String(text) => {
            let names = |name: &&str| text == name || text.contains(&format!("${{{name}}}"));
            found.extend(parameters.iter().copied().filter(|name| names(name)));
        }
        Value::Array(values) => values.iter().for_each(|value| parameters_in(value, parameters, found)),
        Value::Object(members) => members.values().for_each(|value| parameters_in(value, parameters, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
