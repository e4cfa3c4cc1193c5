//! The runbooks that come with Muster.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::parsed;
use super::schema::editors_faults;
use crate::plan::Plan;

/// The definitions under `events/runbooks` by the names of their files.
fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/runbooks");
    let files = fs::read_dir(folder).expect("the folder is there");
    let mut examples: Vec<_> = files
        .map(|file| {
            let path = file.expect("is readable").path();
            let text = fs::read_to_string(&path).expect("is text");
            let value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            (path.file_name().expect("has a name").to_string_lossy().into_owned(), value)
        })
        .collect();
    examples.sort_by(|left, right| left.0.cmp(&right.0));
    examples
}

#[test]
fn every_example_is_valid_compiles_and_satisfies_the_schema_of_editors() {
    let examples = examples();
    let phased = examples.iter().filter(|(_, value)| value.get("phases").is_some());
    assert_eq!(phased.count(), 6);
    for (name, value) in examples {
        assert_eq!(editors_faults(&value), Vec::<String>::new(), "{name}");
        let definition = parsed(&value);
        assert_eq!(definition.faults(), [], "{name}");
        Plan::compile(&definition).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
    }
}
