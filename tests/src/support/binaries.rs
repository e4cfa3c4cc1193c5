//! The product's real binaries, built once for all tests that start them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the binary `name` is. The first call builds all of them: beside the running test, from the same sources, and with
/// the same features, so that all they share is compiled already.
pub(crate) fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

/// The folder of the binaries.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // As in `target/debug/deps/muster-0123456789abcdef`.
    let folder = test.parent().and_then(Path::parent).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--workspace", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "the binaries do not build");
    folder.to_owned()
}
