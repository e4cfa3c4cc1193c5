//! Lists over more than one page, in each form.

use super::installation::Installation;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_where_the_last_one_ended() {
    let muster = Installation::start().await;
    let ada = muster.author();
    let ids: Vec<String> = (0..3).map(|_| muster.draft("")).collect();
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
    };
    let first = ada.run(&["runbook", "list", "--team", "ops", "--limit", "2", "-o", "json"]).ok();
    let cursor = first.text("/nextCursor");
    let rest = ada.run(&["runbook", "list", "--team", "ops", "--cursor", &cursor, "-o", "json"]).ok();
    let all = ada.run(&["runbook", "list", "--team", "ops", "--all", "-o", "json"]).ok();
    assert_eq!(names(&all.json()), [names(&first.json()), names(&rest.json())].concat());
    assert_eq!(names(&all.json()).len(), ids.len());
    let forged = ada.run(&["runbook", "list", "--cursor", &cursor]);
    assert_eq!(forged.code, Some(2), "{forged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_on_standard_output_alone_and_quiet_leaves_only_it() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.draft(""), muster.author());
    let table = ada.run(&["runbook", "get", &runbook]).ok();
    assert!(
        table
            .stdout
            .starts_with(&format!("ID                {runbook}\nName              Restart a service\n"))
    );
    assert_eq!(table.stderr, "ETag \"1\", for --if-match\n");
    assert_eq!(ada.run(&["runbook", "get", &runbook, "--quiet"]).ok().stderr, "");
    let yaml = ada.run(&["runbook", "get", &runbook, "-o", "yaml"]).ok();
    assert!(
        yaml.stdout.contains("\napprovalStatus: DRAFT\n")
            || yaml.stdout.starts_with("approvalStatus: DRAFT\n")
    );
    assert!(!table.stdout.contains('\u{1b}'));
}
