//! The Jira action: an answer that is lost leads to a search, never to a second issue.

use super::*;

const ISSUE: &str = "/rest/api/3/issue";
const SEARCH: &str = "/rest/api/3/search/jql";

fn jira() -> Value {
    json!({
        "type": "jira", "site": "https://acme.atlassian.net", "email": "bot@acme.example",
        "apiToken": {"$secret": "token"}, "project": "OPS", "summary": "{{incident.title}}",
        "description": "First line\nSecond line", "labels": ["oncall"],
    })
}

/// Jira as far as it is needed: issues with labels. What it answers about a creation is the script's.
#[derive(Clone, Default)]
struct Jira {
    labels: Arc<Mutex<Vec<Value>>>,
}

impl Jira {
    async fn serve(&self, stage: &Stage, answers: Vec<ResponseTemplate>) {
        let (jira, script) = (self.clone(), Script(Mutex::new(answers.into())));
        let creates = move |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            jira.labels.lock().unwrap().push(body["fields"]["labels"].clone());
            script.respond(request)
        };
        stage.responds(ISSUE, creates).await;
        let jira = self.clone();
        stage.responds(SEARCH, move |request: &Request| answer(200, &jira.search(request))).await;
    }

    fn search(&self, request: &Request) -> Value {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let label =
            asked["jql"].as_str().unwrap().strip_prefix("labels = ").unwrap().trim_matches('"').to_owned();
        let labels = self.labels.lock().unwrap();
        let has = |labels: &Value| labels.as_array().unwrap().contains(&json!(label));
        let issues = labels.iter().zip(1..).filter(|(labels, _)| has(labels));
        let issues =
            issues.map(|(_, number)| json!({"id": number.to_string(), "key": format!("OPS-{number}")}));
        json!({"issues": issues.collect::<Vec<_>>(), "isLast": true})
    }

    fn issues(&self) -> usize {
        self.labels.lock().unwrap().len()
    }
}

fn created() -> ResponseTemplate {
    answer(201, &json!({"id": "1", "key": "OPS-1", "self": "https://acme.atlassian.net/rest/api/3/issue/1"}))
}

#[rstest]
#[tokio::test]
async fn an_issue_is_created_with_a_label_that_was_searched_for_before(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (stage, jira_site) = (Stage::start(engine).await, Jira::default());
    jira_site.serve(&stage, vec![created()]).await;
    let execution = stage.run(&jira()).await;
    assert_eq!(ending(&execution), "SUCCESS");
    let marker = format!("muster-{}-it", execution.id);
    let fields = &stage.bodies(ISSUE).await[0]["fields"];
    assert_eq!(fields["labels"], json!(["oncall", marker]));
    assert_eq!(fields["summary"], "Manual Execution");
    assert_eq!(fields["description"]["content"].as_array().map(Vec::len), Some(2));
    assert_eq!(stage.bodies(SEARCH).await[0]["jql"], format!("labels = \"{marker}\""));
    let credentials = header(&stage.received(ISSUE).await[0], "authorization");
    assert!(credentials.starts_with("Basic "), "{credentials}");
    assert_eq!((jira_site.issues(), result(&execution, "/body/key")), (1, json!("OPS-1")));
}

#[rstest]
#[tokio::test]
async fn a_retry_after_a_lost_answer_makes_no_second_issue(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let lost = [("slow", too_late()), ("broken", text(502, "<html>")), ("garbage", text(201, "<html>"))];
    for (how, lost) in lost {
        let (stage, jira_site) = (Stage::with_patience(engine, IMPATIENT).await, Jira::default());
        jira_site.serve(&stage, vec![lost, created()]).await;
        let execution = stage.run(&jira()).await;
        assert_eq!(ending(&execution), "SUCCESS", "{how}");
        assert_eq!((jira_site.issues(), stage.received(SEARCH).await.len()), (1, 2), "{how}");
        assert_eq!(result(&execution, "/body/key"), "OPS-1", "{how}");
    }
}

#[rstest]
#[tokio::test]
async fn an_issue_that_jira_did_not_take_is_sent_again_after_another_search(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(SEARCH, [text(503, ""), answer(200, &json!({"issues": []}))]).await;
    stage.answers(ISSUE, [text(429, ""), created()]).await;
    let execution = stage.run(&jira()).await;
    assert_eq!(ending(&execution), "SUCCESS");
    assert_eq!(stage.repeated(ISSUE).await, (format!("{}-it", execution.id), 2));
    assert_eq!(stage.repeated(SEARCH).await, (format!("{}-it.search", execution.id), 3));
}

#[rstest]
#[tokio::test]
async fn without_a_search_that_can_be_read_nothing_is_created(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let unauthorised = text(401, "Client must be authenticated to access this resource.");
    for (search, expected) in [
        (unauthorised, "FAILED: Jira answered 401"),
        (
            text(200, "<html>"),
            "FAILED: Jira answered 200 with what is not an answer of its API after 3 attempts",
        ),
    ] {
        let stage = Stage::start(engine).await;
        stage.answers(SEARCH, [search]).await;
        stage.answers(ISSUE, [created()]).await;
        assert_eq!(ending(&stage.run(&jira()).await), expected);
        assert_eq!(stage.received(ISSUE).await.len(), 0);
    }
}

#[rstest]
#[tokio::test]
async fn what_jira_refuses_is_told_by_field_and_not_repeated(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(SEARCH, [answer(200, &json!({"issues": []}))]).await;
    let refused = json!({"errorMessages": [], "errors": {"issuetype": "Specify a valid issue type"}});
    stage.answers(ISSUE, [answer(400, &refused)]).await;
    let execution = stage.run(&jira()).await;
    assert_eq!(ending(&execution), "FAILED: Jira answered 400: issuetype: Specify a valid issue type");
    assert_eq!(stage.received(ISSUE).await.len(), 1);
}
