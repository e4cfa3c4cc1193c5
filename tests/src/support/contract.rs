//! What the OpenAPI document declares, to hold every answer against.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method;
use serde_json::Value;

/// An operation as `METHOD /path`, with the statuses that it declares.
pub(crate) type Operations = BTreeMap<String, Vec<u16>>;

/// What any path may answer to a method that it does not have, and what any other path answers.
const UNDECLARED: [u16; 2] = [404, 405];

pub(crate) fn operations() -> &'static Operations {
    static OPERATIONS: LazyLock<Operations> = LazyLock::new(read);
    &OPERATIONS
}

fn read() -> Operations {
    let document: Value = serde_json::from_str(&muster_http::document()).unwrap();
    let mut operations = Operations::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let statuses = operation["responses"].as_object().unwrap().keys();
            let statuses = statuses.map(|status| status.parse().unwrap()).collect();
            operations.insert(format!("{} {path}", method.to_uppercase()), statuses);
        }
    }
    operations
}

/// Fails unless the document says that this request may be answered so.
pub(crate) fn assert_declared(method: &Method, path: &str, status: u16) {
    let path = path.split('?').next().unwrap();
    match operation_of(method, path) {
        Some((name, statuses)) => assert!(statuses.contains(&status), "{name} does not declare {status}"),
        None => {
            assert!(UNDECLARED.contains(&status), "{method} {path} is no operation, and answered {status}")
        }
    }
}

/// The operation that serves a path: the one with the fewest parameters, as in the router.
pub(crate) fn operation_of(method: &Method, path: &str) -> Option<(&'static String, &'static Vec<u16>)> {
    let parameters = |name: &str| name.matches('{').count();
    let matching = operations().iter().filter(|(name, _)| {
        let (own, template) = name.split_once(' ').unwrap();
        (own == method.as_str() || (own == "GET" && method == Method::HEAD)) && fits(template, path)
    });
    matching.min_by_key(|(name, _)| parameters(name))
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, text)| part == text || (part.starts_with('{') && !text.is_empty()))
}
