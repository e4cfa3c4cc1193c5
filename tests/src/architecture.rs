//! Rules about the code itself: which crate may reach what, and how long things may be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FUNCTIONS: [&str; 6] = [
    "muster-api",
    "muster-approval",
    "muster-worker",
    "muster-sweeper",
    "muster-dead-letter",
    "muster-matcher",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_path_buf()
}

/// Names of all crates that `package` reaches in an ordinary build.
fn reached(package: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(arguments)
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut names: Vec<String> =
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    assert!(names.contains(&package.to_owned()), "{package} is in its own tree");
    names
}

fn check_absent(package: &str, forbidden: impl Fn(&str) -> bool) {
    let found: Vec<String> = reached(package, &[]).into_iter().filter(|name| forbidden(name)).collect();
    assert!(found.is_empty(), "{package} must not reach {found:?}");
}

/// AWS's SDK and Lambda's crates. The TLS library of the same maker is none of them.
fn is_aws(name: &str) -> bool {
    (name.starts_with("aws-") && !name.starts_with("aws-lc")) || name.starts_with("lambda_")
}

#[test]
fn the_domain_is_pure() {
    let impure =
        ["tokio", "rand", "reqwest", "hyper", "axum", "rusqlite", "tracing", "async-trait", "futures"];
    check_absent("muster-domain", |name| impure.contains(&name) || is_aws(name));
    let ours = reached("muster-domain", &[]).into_iter().filter(|name| name.starts_with("muster-"));
    assert_eq!(ours.collect::<Vec<_>>(), ["muster-domain"]);
}

#[test]
fn only_the_edge_of_aws_reaches_aws() {
    for package in ["muster-app", "muster-http", "muster-egress", "muster-cli"] {
        check_absent(package, is_aws);
    }
}

#[test]
fn what_muster_starts_for_aws_is_not_a_second_local_mode() {
    check_absent("muster-cli-aws", |name| ["rusqlite", "muster-egress", "jsonwebtoken"].contains(&name));
}

#[test]
fn the_local_issuer_is_not_in_the_lambda_binaries() {
    for function in FUNCTIONS {
        check_absent(function, |name| name == "jsonwebtoken" || name == "muster-cli" || name == "rusqlite");
    }
}

#[test]
fn only_the_worker_can_call_out() {
    for function in
        ["muster-api", "muster-approval", "muster-sweeper", "muster-dead-letter", "muster-matcher"]
    {
        check_absent(function, |name| name == "muster-egress");
    }
    assert!(reached("muster-worker", &[]).contains(&"muster-egress".to_owned()));
}

/// A second one would double what a cold start reads, and what an advisory can be about (docs/COLD-START.md).
#[test]
fn a_lambda_binary_has_one_tls_stack() {
    let libraries = ["rustls", "native-tls", "openssl", "boring", "s2n-tls", "mbedtls"];
    let cryptography =
        ["aws-lc-rs", "aws-lc-fips-sys", "ring", "openssl-sys", "boring-sys", "rustls-rustcrypto"];
    for function in FUNCTIONS {
        let mut found = reached(function, &["--target", "aarch64-unknown-linux-gnu"]);
        found.retain(|name| libraries.iter().chain(&cryptography).any(|known| known == name));
        assert_eq!(found, ["aws-lc-rs", "rustls"], "{function}");
    }
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("readable");
    for name in ["rustls", "aws-lc-rs", "aws-lc-sys"] {
        assert_eq!(lock.matches(&format!("name = \"{name}\"\n")).count(), 1, "versions of {name}");
    }
}

/// What the release profile leaves open, `cargo lambda build` sets for itself: `panic = "abort"` among it, which would end
/// a worker amid a batch where the tests see one job fail.
#[test]
fn the_release_profile_leaves_nothing_to_the_packager() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    let (_, profile) = manifest.split_once("[profile.release]\n").expect("the profile is there");
    let profile: Vec<&str> = profile.lines().take_while(|line| !line.starts_with('[')).collect();
    for setting in ["lto = ", "codegen-units = ", "strip = ", "panic = \"unwind\""] {
        assert!(profile.iter().any(|line| line.starts_with(setting)), "{setting}");
    }
}

/// Every Rust file of the product, tests left out.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("shared"), root().join("cli"), root().join("functions")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_lambda_main_is_wiring_only() {
    for path in sources()
        .into_iter()
        .filter(|path| path.ends_with("src/main.rs") && path.starts_with(root().join("functions")))
    {
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= 40, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_module_is_called_utils() {
    let vague = ["utils", "util", "helpers", "common", "misc"];
    for path in sources() {
        let parts = path.strip_prefix(root()).expect("inside").iter().filter_map(|part| part.to_str());
        let bad: Vec<&str> = parts.filter(|part| vague.contains(&part.trim_end_matches(".rs"))).collect();
        assert!(bad.is_empty(), "{}", path.display());
    }
}

#[test]
fn only_the_egress_crate_sends_to_addresses_that_users_give() {
    for path in sources() {
        let inside = path.strip_prefix(root()).expect("inside").display().to_string();
        let may = inside.starts_with("shared/egress") || inside.starts_with("cli/");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(may || !text.contains("reqwest::"), "{inside} uses the HTTP client");
    }
}
