//! The tables of `infra/README.md` against the template: people decide by them what they let into their account.

use std::collections::BTreeSet;
use std::fs;

use super::template::{
    allows, binary_of, functions, role_of, root, statements, template, texts, variables_of,
};

/// The table under a heading, as cells; its head first.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("infra/README.md")).unwrap();
    let (_, below) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let rows =
        below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.filter(|row| !row.starts_with("|---")).map(cells).collect()
}

/// What stands between backticks.
fn code(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_documented_permissions_are_those_of_the_roles() {
    let template = template();
    let rows = table("Permissions");
    assert_eq!(rows.len() - 1, functions(&template).count());
    for row in &rows[1..] {
        let binary = format!("muster-{}", row[0]);
        let (_, function) = functions(&template).find(|(_, function)| binary_of(function) == binary).unwrap();
        let of = |action| statements(&template, role_of(function)).filter(move |one| allows(one, action));

        let queried = of("dynamodb:Query").flat_map(|one| texts(&one["Resource"]));
        let indexes = queried.filter_map(|place| place.split_once("/index/")).map(|(_, name)| name);
        assert_eq!(code(&row[1]), indexes.collect(), "{binary} reads");

        let put = of("dynamodb:PutItem")
            .flat_map(|one| texts(&one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]));
        assert_eq!(code(&row[2]), put.map(|key| key.trim_end_matches('*')).collect(), "{binary} puts");
    }
}

#[test]
fn the_documented_variables_are_those_of_the_functions() {
    let rows = table("Environment variables");
    let names: Vec<&str> = rows[0].iter().map(String::as_str).collect();
    for (column, name) in names.iter().enumerate().filter(|(_, name)| !["variable", "value"].contains(name)) {
        let given = rows[1..].iter().filter(|row| row[column] == "yes");
        let documented: BTreeSet<String> = given.map(|row| row[0].trim_matches('`').to_owned()).collect();
        assert_eq!(documented, variables_of(&format!("muster-{name}")), "{name}");
    }
}
