//! Commands about the configuration.

use serde_json::{Value, json};

use super::*;

fn described(outputs: &[(&str, &str)]) -> Value {
    let outputs: Vec<Value> =
        outputs.iter().map(|(key, value)| json!({"OutputKey": key, "OutputValue": value})).collect();
    json!({"Stacks": [{"StackName": "muster-prod", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]})
}

const OUTPUTS: [(&str, &str); 7] = [
    ("TableName", "muster-prod-MusterTable-1ABC"),
    ("ApiUrl", "https://abc.execute-api.eu-west-1.amazonaws.com"),
    ("QueueUrl", "https://sqs.eu-west-1.amazonaws.com/123456789012/muster-prod-work"),
    ("DeadLetterQueueUrl", "https://sqs.eu-west-1.amazonaws.com/123456789012/muster-prod-work-dead"),
    ("BusName", "muster-muster-prod"),
    ("SecretPrefix", "muster/muster-prod/"),
    ("DashboardUrl", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home"),
];

async fn import(text: &str, options: &str) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stack.json");
    std::fs::write(&path, text).unwrap();
    run_alone(&format!("config import-stack {} {options}", path.display())).await
}

#[tokio::test]
async fn the_outputs_of_a_stack_become_lines_of_a_shell() {
    let ran = import(&described(&OUTPUTS).to_string(), "").await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "export MUSTER_URL='https://abc.execute-api.eu-west-1.amazonaws.com'");
    assert_eq!(lines[1], "export MUSTER_TABLE='muster-prod-MusterTable-1ABC'");
    assert_eq!((lines.len(), lines[5]), (6, "export MUSTER_SECRET_PREFIX='muster/muster-prod/'"));
}

#[tokio::test]
async fn the_same_as_data_for_other_tools() {
    let text = described(&OUTPUTS).to_string();
    let data: Value = serde_json::from_str(&import(&text, "-o json").await.stdout).unwrap();
    assert_eq!(data["MUSTER_BUS"], "muster-muster-prod");
    assert_eq!(data.as_object().unwrap().len(), 6);
    let yaml = import(&text, "-o yaml").await.stdout;
    assert!(yaml.contains("MUSTER_BUS: muster-muster-prod\n"), "{yaml}");
}

#[tokio::test]
async fn what_is_no_stack_of_muster_is_refused_and_nothing_is_printed() {
    let mut two = described(&OUTPUTS);
    two["Stacks"].as_array_mut().unwrap().push(json!({"StackName": "other"}));
    let address = [&[("ApiUrl", "muster.example")], &OUTPUTS[..1], &OUTPUTS[2..]].concat();
    for (text, said) in [
        ("".to_owned(), "is not what `aws cloudformation describe-stacks --output json` prints"),
        (json!({"Outputs": []}).to_string(), "missing field `Stacks`"),
        (json!({"Stacks": []}).to_string(), "describes 0 stacks"),
        (two.to_string(), "describes 2 stacks"),
        (json!({"Stacks": [{"StackName": "s"}]}).to_string(), "the stack s has no output ApiUrl"),
        (described(&OUTPUTS[1..]).to_string(), "the stack muster-prod has no output TableName"),
        (described(&address).to_string(), "the output ApiUrl of the stack muster-prod: expected an address"),
    ] {
        let ran = import(&text, "").await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{text}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}
