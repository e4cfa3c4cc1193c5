//! What IAM is asked for by a call that was recorded.

use serde_json::Value;

use crate::lambda::installation::{
    BUS, CALLBACK_KEY, DEAD_LETTERS_URL, QUEUE_URL, SECRET_PREFIX, SLACK_SIGNING_SECRET,
};
use crate::lambda::policy::Need;
use crate::support::ledger::ApiCall;

const TABLE: &str = "MusterTable.Arn";

/// One for a plain call; one for each part of a transaction, which IAM asks about one by one.
pub(super) fn needs(call: &ApiCall, table: &str) -> Vec<Need> {
    let ApiCall { service, operation, request } = call;
    match (service.as_str(), operation.as_str()) {
        ("DynamoDB_20120810", "TransactWriteItems") => {
            let parts = request["TransactItems"].as_array().unwrap();
            parts.iter().map(|part| part_of_transaction(part, table)).collect()
        }
        ("DynamoDB_20120810", "PutItem") => vec![write("PutItem", request, table)],
        ("DynamoDB_20120810", "BatchGetItem") => {
            let tables: Vec<&String> = request["RequestItems"].as_object().unwrap().keys().collect();
            assert_eq!(tables, [table]);
            vec![read(operation, TABLE.into())]
        }
        ("DynamoDB_20120810", "GetItem" | "Query") => vec![read(operation, place_of_read(request, table))],
        ("AmazonSQS", _) => vec![other("sqs", operation, place_of_queue(request))],
        ("AWSEvents", "PutEvents") => {
            let entries = request["Entries"].as_array().unwrap();
            assert!(entries.iter().all(|entry| entry["EventBusName"] == BUS), "{request}");
            vec![other("events", operation, "EventBus.Arn".into())]
        }
        ("secretsmanager", "GetSecretValue") if request["SecretId"] == CALLBACK_KEY => {
            vec![other("secretsmanager", operation, "CallbackKey.Id".into())]
        }
        ("secretsmanager", "GetSecretValue") if request["SecretId"] == SLACK_SIGNING_SECRET => {
            vec![other("secretsmanager", operation, "SlackSigningSecret.Id".into())]
        }
        ("secretsmanager", "GetSecretValue") => {
            let name = request["SecretId"].as_str().unwrap().strip_prefix(SECRET_PREFIX).unwrap();
            let account = "${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}";
            vec![other("secretsmanager", operation, format!("arn:{account}:secret:${{Prefix}}{name}"))]
        }
        (service, operation) => panic!("no policy speaks of {operation} of {service}"),
    }
}

fn part_of_transaction(part: &Value, table: &str) -> Need {
    let (kind, write_of) = part.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "Put" => write("PutItem", write_of, table),
        "Delete" => write("DeleteItem", write_of, table),
        other => panic!("the store makes no {other}"),
    }
}

fn write(operation: &str, request: &Value, table: &str) -> Need {
    assert_eq!(request["TableName"], table);
    let item = request.get("Item").unwrap_or_else(|| &request["Key"]);
    let key = item["pk"]["S"].as_str().unwrap().to_owned();
    Need { key: Some(key), ..read(operation, TABLE.into()) }
}

fn read(operation: &str, place: String) -> Need {
    other("dynamodb", operation, place)
}

fn other(service: &str, operation: &str, place: String) -> Need {
    Need { action: format!("{service}:{operation}"), place, key: None }
}

fn place_of_read(request: &Value, table: &str) -> String {
    assert_eq!(request["TableName"], table);
    match request["IndexName"].as_str() {
        Some(index) => format!("${{{TABLE}}}/index/{index}"),
        None => TABLE.to_owned(),
    }
}

fn place_of_queue(request: &Value) -> String {
    match request["QueueUrl"].as_str().unwrap() {
        QUEUE_URL => "WorkQueue.Arn".into(),
        DEAD_LETTERS_URL => "DeadLetterQueue.Arn".into(),
        other => panic!("the template has no queue {other}"),
    }
}
