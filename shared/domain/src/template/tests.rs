use handlebars::Handlebars;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn context() -> Value {
    json!({
        "incident": {
            "id": "inc_1",
            "title": "Disk <full> & \"hot\"",
            "none": null,
            "empty": "",
            "metadata": {"service": "pay", "labels": {"app.kubernetes.io/name": "api"}},
        },
        "params": {"count": 3, "ratio": 0.5, "force": true, "hosts": ["a", "b"], "none": [], "braces": "{{incident.id}}"},
        "größe": "XL",
    })
}

/// Renders `source`, or gives the message of the fault.
fn render(source: &str) -> String {
    let template = Template::compile(source).unwrap_or_else(|fault| panic!("{source}: {fault}"));
    template.render(&context()).unwrap_or_else(|fault| fault.to_string())
}

fn refuse(source: &str, place: (usize, usize), message: &str) {
    let fault = Template::compile(source).expect_err(source);
    assert_eq!((fault.line, fault.column), place, "{source}");
    assert!(fault.refusal.to_string().contains(message), "{source}: {fault}");
}

#[test]
fn text_and_paths_render() {
    for (source, expected) in [
        ("", ""),
        ("plain { text } }} \n", "plain { text } }} \n"),
        ("{{incident.id}}", "inc_1"),
        ("  {{incident.id}}\n\n", "  inc_1\n\n"),
        ("<{{ incident.title\t}}>", "<Disk <full> & \"hot\">"),
        ("{{params.count}} {{params.ratio}} {{params.force}}", "3 0.5 true"),
        ("{{params.hosts.1}}{{params.hosts.[0]}}", "ba"),
        ("{{incident.metadata.labels.[app.kubernetes.io/name]}}", "api"),
        ("{{größe}}", "XL"),
        ("{{this.incident.id}}", "inc_1"),
        (r"\{{incident.id}} \\{{incident.id}}", r"{{incident.id}} \inc_1"),
        ("{{incident.id}}}", "inc_1}"),
    ] {
        assert_eq!(render(source), expected, "{source}");
    }
}

#[test]
fn helpers_render() {
    for (source, expected) in [
        ("{{upper incident.id}}", "INC_1"),
        ("{{lower incident.metadata.service}}", "pay"),
        ("{{truncate incident.title 6}}", "Disk <"),
        ("{{truncate params.count 0}}", ""),
        ("{{trim incident.id}}", "inc_1"),
        ("{{urlEncode incident.title}}", "Disk%20%3Cfull%3E%20%26%20%22hot%22"),
        ("{{json params.hosts}}", r#"["a","b"]"#),
        ("{{json incident.title}}", r#""Disk <full> & \"hot\"""#),
        ("{{json incident.none}}", "null"),
        ("{{default incident.id 'x'}}", "inc_1"),
        (r#"{{default incident.none "a \"b\" }}"}}"#, r#"a "b" }}"#),
        (
            "{{default incident.empty 'x'}}{{default params.none 'y'}}{{default a.b.c 7}}{{default a true}}",
            "xy7true",
        ),
        ("{{default params.hosts.name 'x'}}", "x"),
    ] {
        assert_eq!(render(source), expected, "{source}");
    }
}

#[test]
fn a_value_that_cannot_be_printed_is_a_fault_that_names_it() {
    for (source, expected) in [
        (
            "{{incident.metadata.host}}",
            r#"there is no `incident.metadata.host`; {{default incident.metadata.host "…"}}"#,
        ),
        ("{{json nothing}}", "there is no `nothing`"),
        ("{{params.hosts.2}}", "there is no `params.hosts.2`"),
        ("{{params.hosts.name}}", "there is no `params.hosts.name`"),
        ("{{incident.id.length}}", "there is no `incident.id.length`"),
        ("{{incident.none}}", "`incident.none` is null"),
        ("{{upper incident.none}}", "`incident.none` is null"),
        ("{{incident.metadata}}", "`incident.metadata` is an object; {{json incident.metadata}}"),
        ("{{default params.hosts 'x'}}", "`params.hosts` is an array"),
    ] {
        assert!(render(source).starts_with(expected), "{source}: {}", render(source));
    }
}

#[test]
fn inv_e2_whatever_is_not_an_expression_is_refused_with_its_place() {
    refuse("a\n  {{#each params}}x{{/each}}", (2, 3), "a block");
    refuse("{{{incident.id}}}", (1, 1), "three braces");
    refuse("{{{{raw}}}}x{{{{/raw}}}}", (1, 1), "three braces");
    refuse("{{&incident.id}}", (1, 1), "unescaped");
    refuse("é{{^a}}", (1, 2), "inverse");
    refuse("{{/a}}", (1, 1), "end of a block");
    refuse("{{> a}}", (1, 1), "partial");
    refuse("{{* a}}", (1, 1), "decorator");
    refuse("{{! a}}", (1, 1), "comment");
    refuse("{{~a}}", (1, 1), "white space control");
    refuse("{{a~}}", (1, 4), "'~'");
    refuse("{{upper (lower a)}}", (1, 9), "'('");
    refuse("{{@root.a}}", (1, 3), "'@'");
    refuse("{{../a}}", (1, 4), "`..`");
    refuse("{{./a}}", (1, 4), "'/'");
    refuse("{{a/b}}", (1, 4), "'/'");
    refuse("{{a[0]}}", (1, 4), "follows a dot");
    refuse("{{default a [[[[1]]]]}}", (1, 14), "'['");
    refuse("{{default a {} }}", (1, 13), "'{'");
    refuse("{{upper a b=c}}", (1, 12), "'='");
    refuse("{{a as |b|}}", (1, 8), "'|'");
    refuse("{{a", (1, 1), "not closed");
    refuse("{{a}", (1, 1), "not closed");
    refuse("{{a} }", (1, 5), "'}'");
    refuse("{{", (1, 1), "not closed");
    refuse("{{default a \"}}", (1, 1), "not closed");
}

#[test]
fn inv_e2_an_expression_that_is_not_understood_is_refused() {
    refuse("{{}}", (1, 1), "not an expression");
    refuse("{{.}}", (1, 1), "not an expression");
    refuse("x {{a.}}", (1, 3), "not an expression");
    refuse("{{else}}", (1, 1), "not an expression");
    refuse("{{'a'}}", (1, 1), "not an expression");
    refuse("{{this}}", (1, 1), "a path names a value");
    refuse("{{upper}}", (1, 1), "`upper` is written {{upper path}}");
    refuse("{{upper 'a'}}", (1, 1), "`upper` is written");
    refuse("{{upper a b}}", (1, 1), "`upper` is written");
    refuse("{{truncate a}}", (1, 1), "{{truncate path 100}}");
    refuse("{{truncate a -1}}", (1, 1), "{{truncate path 100}}");
    refuse("{{truncate a 1.5}}", (1, 1), "{{truncate path 100}}");
    refuse("{{default a}}", (1, 1), "{{default path");
    refuse("{{default a null}}", (1, 1), "{{default path");
    refuse("{{default a b}}", (1, 1), "{{default path");
    refuse("{{default a [1]}}", (1, 1), "{{default path");
    refuse("{{lookup a b}}", (1, 1), "there is no helper `lookup`");
    refuse("{{log a}}", (1, 1), "there is no helper `log`");
}

#[test]
fn inv_e2_sources_expressions_paths_and_outputs_are_bounded() {
    assert!(Template::compile(&"a".repeat(MAX_SOURCE_BYTES)).is_ok());
    refuse(&"a".repeat(MAX_SOURCE_BYTES + 1), (1, 1), "at most 16384 bytes");
    assert!(Template::compile(&"{{a}}".repeat(MAX_EXPRESSIONS)).is_ok());
    refuse(&"{{a}}".repeat(MAX_EXPRESSIONS + 1), (1, MAX_EXPRESSIONS * 5 + 1), "at most 256 expressions");
    let path = |segments: usize| format!("{{{{{}}}}}", vec!["a"; segments].join("."));
    assert!(Template::compile(&path(MAX_PATH_DEPTH)).is_ok());
    refuse(&path(MAX_PATH_DEPTH + 1), (1, 1), "at most 16 segments");
    refuse(&format!("{{{{{}}}}}", "a".repeat(MAX_PATH_BYTES + 1)), (1, 1), "256 bytes");

    let long = Template::compile("{{a}}{{a}}").expect("compiles");
    let half = "x".repeat(MAX_OUTPUT_BYTES / 2);
    assert_eq!(long.render(&json!({"a": half})).map(|text| text.len()), Ok(MAX_OUTPUT_BYTES));
    assert_eq!(long.render(&json!({"a": format!("{half}x")})), Err(RenderFault::TooLong));
}

/// The parser recurses over what nests; none of these may reach it.
#[test]
fn inv_e2_sources_that_nest_or_backtrack_neither_abort_nor_hang() {
    for piece in
        ["[", "{{#a}}", "(", "{{", "{{{", "}}", "\\", "{{default a ", "a ", ".", "'", "\"", "[a].", "{{a "]
    {
        for start in ["", "{{", "{{default a ", "{{a.", "{{default a '"] {
            let source =
                format!("{start}{}", piece.repeat((MAX_SOURCE_BYTES - start.len() - 2) / piece.len()));
            let _unless_it_aborts = Template::compile(&source);
            let _unless_it_aborts = Template::compile(&format!("{source}}}}}"));
        }
    }
}

#[test]
fn values_are_percent_encoded_for_a_url_and_text_is_not() {
    let template =
        Template::compile("https://x/{{incident.title}}?q={{urlEncode incident.title}}&{{default a '/'}}");
    let rendered = template.expect("compiles").render_for_url(&context());
    let title = "Disk%20%3Cfull%3E%20%26%20%22hot%22";
    assert_eq!(rendered, Ok(format!("https://x/{title}?q={title}&%2F")));
}

#[test]
fn a_template_tells_what_it_reads() {
    let template = Template::compile("{{incident.id}} {{default params.hosts.[0] 'x'}}").expect("compiles");
    let paths: Vec<&str> = template.paths().map(ValuePath::as_str).collect();
    assert_eq!(paths, ["incident.id", "params.hosts.[0]"]);
    let segments: Vec<&[String]> = template.paths().map(ValuePath::segments).collect();
    assert_eq!(segments[1], ["params", "hosts", "0"]);
    assert!(!template.is_constant());
    assert!(Template::compile(r"no \{{expression}}").expect("compiles").is_constant());
}

#[test]
fn compiled_templates_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Template>();
    shared::<PayloadTemplate>();
}

/// Pieces of which hostile and honest sources are made.
pub(super) fn source() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => prop::sample::select(vec![
            "{{", "}}", "{", "}", "\\", "\\{{", "[", "]", "(", ")", "\"", "'", ".", "..", "/", "@", "#", "^", ">", "&",
            "!", "~", "*", "|", "=", " ", "\n", "else", "as", "this", "true", "null", "0", "-1", "1e9",
        ]),
        2 => prop::sample::select(vec!["default", "upper", "truncate", "json", "a", "a.b", "a.[0]", "{{a}}", "{{json a.b}}"]),
    ];
    prop_oneof![prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat()), any::<String>(),]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        source().prop_map(Value::from),
        prop::sample::select(vec!["\"", "\\", "\",\"x\":\"", "}]", "\u{0}\r\n", "{{a}}", "\u{2028}"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["a", "b", "0"]), inner, 0..4).prop_map(
                |members| members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect()
            ),
        ]
    })
}

/// A context in which the paths of [`source`] are sometimes there.
pub(super) fn any_context() -> impl Strategy<Value = Value> {
    (value(), value()).prop_map(|(a, b)| json!({"a": a, "b": b}))
}

proptest! {
    #[test]
    fn inv_e2_no_source_and_no_context_panics(source in source(), context in any_context()) {
        if let Ok(template) = Template::compile(&source) {
            let _text = template.render(&context);
            let _url = template.render_for_url(&context);
        }
    }

    #[test]
    fn inv_e2_output_never_exceeds_its_limit(count in 1..=MAX_EXPRESSIONS, length in 0..1024_usize) {
        let template = Template::compile(&"{{a}}".repeat(count)).expect("compiles");
        let rendered = template.render(&json!({"a": "x".repeat(length)}));
        prop_assert_eq!(rendered.is_ok(), count * length <= MAX_OUTPUT_BYTES);
    }

    #[test]
    fn text_without_braces_renders_to_itself(text in "[^{]*") {
        let template = Template::compile(&text).expect("compiles");
        prop_assert!(template.is_constant());
        prop_assert_eq!(template.render(&Value::Null), Ok(text));
    }

    #[test]
    fn a_value_is_never_read_as_a_template(value in source()) {
        let template = Template::compile("<{{a}}>").expect("compiles");
        prop_assert_eq!(template.render(&json!({"a": value})), Ok(format!("<{value}>")));
    }

    /// What this accepts means what it means in Handlebars.
    #[test]
    fn renders_as_handlebars_does(texts in prop::collection::vec(r"[a-z}\\\n ]{0,4}", 0..6), value in "[a-z&<{}]{0,6}") {
        let source = texts.join("{{a.b}}");
        let mut reference = Handlebars::new();
        reference.register_escape_fn(handlebars::no_escape);
        let context = json!({"a": {"b": value}});
        let template = Template::compile(&source).expect("compiles");
        prop_assert_eq!(template.render(&context).ok(), reference.render_template(&source, &context).ok());
    }
}
