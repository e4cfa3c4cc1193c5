//! Definitions in files, as the command reads them.

use std::path::Path;

use super::installation::{Installation, clean};

fn validate(path: &Path) -> (Option<i32>, String) {
    let ran = clean("runbook").args(["validate", "-f"]).arg(path).output().unwrap();
    (ran.status.code(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
}

#[test]
fn every_runbook_that_is_shipped_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/runbooks");
    let mut checked = 0;
    for entry in folder.read_dir().unwrap() {
        let (code, said) = validate(&entry.unwrap().path());
        assert_eq!(code, Some(0), "{said}");
        checked += 1;
    }
    assert!(checked > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_names_file_line_and_column_and_how_to_mend_it() {
    let muster = Installation::start().await;
    for (more, expected) in [
        ("webhokAuth: {}\n", ":4:1: /webhokAuth: is no field; did you mean `webhookAuth`?"),
        ("tags: [a\n", ":4:7: unclosed bracket"),
        ("timeoutSeconds: 60\n", ":4:1: /timeoutSeconds: must be 1 to 20"),
        (
            "webhookAuth:\n  type: bearer\n  token: abc\n",
            r#":6:3: /webhookAuth/token: must not hold the secret itself"#,
        ),
        ("payloadTemplate:\n  a: {{params.b}}\n", "put a template in quotes"),
    ] {
        let file = muster.runbook_file(more);
        let expected = format!("{}{}", file.display(), if expected.starts_with(':') { expected } else { "" });
        let ran = muster.author().run(&["runbook", "create", "-f", file.to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{more}");
        assert!(ran.stderr.contains(&expected), "{more}: {}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_comes_from_standard_input_and_from_json_as_well() {
    let muster = Installation::start().await;
    let text = r#"{"name": "From JSON", "teamId": "ops", "webhookUrl": "https://ops.example/"}"#;
    let file = std::fs::File::open(muster.file("runbook.json", text)).unwrap();
    let mut create = muster.author().command(&["runbook", "create", "-o", "json", "-f", "-"]);
    let created = create.stdin(file).output().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!((created.status.code(), &body["name"]), (Some(0), &serde_json::json!("From JSON")));
}
