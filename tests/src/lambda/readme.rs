//! What functions/README.md tells to try: every sample that it names for a function is there, and the function answers it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::installation::Installation;
use super::template::{binary_of, functions, template};
use crate::support::lambda::Reply;

#[tokio::test]
async fn every_function_answers_the_samples_that_the_readme_names_for_it() {
    let rows = rows();
    let template = template();
    let mut binaries: Vec<&str> = functions(&template).map(|(_, function)| binary_of(function)).collect();
    let mut named: Vec<&str> = rows.iter().map(|(binary, _)| binary.as_str()).collect();
    binaries.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, binaries);
    let installation = Installation::start().await;
    for (binary, samples) in &rows {
        let function = installation.function(binary).await;
        assert!(!samples.is_empty(), "{binary}");
        for sample in samples {
            let event: Value = serde_json::from_slice(&fs::read(sample).unwrap()).unwrap();
            let reply = function.invoke(&event).await;
            assert!(matches!(reply, Reply::Answer(_)), "{binary}: {}: {reply:?}", sample.display());
        }
    }
}

/// The table of functions and samples.
fn rows() -> Vec<(String, Vec<PathBuf>)> {
    let text = fs::read_to_string(root().join("functions/README.md")).unwrap();
    let (_, table) = text.split_once("| function | events that it takes |").unwrap();
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(row).collect()
}

fn row(line: &str) -> (String, Vec<PathBuf>) {
    let mut quoted = line.split('`').skip(1).step_by(2);
    let binary = quoted.next().unwrap().to_owned();
    let mut folder = PathBuf::new();
    let samples = quoted.flat_map(|name| {
        let name = Path::new(name);
        // A name without a folder is in that of the name before it.
        if let Some(own) = name.parent().filter(|own| !own.as_os_str().is_empty()) {
            folder = root().join(own);
        }
        files(&folder, name.file_name().unwrap().to_str().unwrap())
    });
    (binary, samples.collect())
}

/// The files of a folder that a pattern with `*` names.
fn files(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = names.filter(|name| fits(pattern, name)).collect();
    found.sort_unstable();
    assert!(!found.is_empty(), "{pattern} is not in {}", folder.display());
    found.iter().map(|name| folder.join(name)).collect()
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).any(|at| left.get(at..).is_some_and(|tail| fits(rest, tail)))
        }),
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
