//! Where the programs are: ours in cargo's output, Prometheus's on PATH or in `.tools`.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// Where cargo put the binaries of the build that this program belongs to, wherever the target directory is.
///
/// # Errors
/// This program's own path is unknown.
pub fn binaries() -> io::Result<PathBuf> {
    let mut path = env::current_exe()?;
    path.pop();
    // Tests lie one level below.
    if path.ends_with("deps") {
        path.pop();
    }
    Ok(path)
}

/// For tests: builds all binaries of the workspace once, and tells where they are. Cargo builds only those of the
/// package under test by itself.
///
/// # Errors
/// The build fails.
pub fn build() -> io::Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let binaries = binaries()?;
    let built = BUILT.get_or_init(|| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(repository());
        cargo.arg("--target-dir").arg(binaries.parent().unwrap_or(&binaries));
        // What cargo tells the test about its own package, build scripts take for a change, and build anew.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.starts_with(prefix)) {
                cargo.env_remove(&*name);
            }
        }
        if binaries.ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("building the exporters failed: {status}")) }
    });
    built.clone().map_err(io::Error::other)?;
    Ok(binaries)
}

/// A program that `scripts/fetch-tools` provides: where it puts them, else on the PATH.
#[must_use]
pub fn find_tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::iter::once(repository().join(".tools/bin")).chain(env::split_paths(&path)).collect();
    // Debian prefixes Alertmanager's program.
    let names = [name.to_owned(), format!("prometheus-{name}")];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

/// For tests: whether Prometheus is at hand, fetched if need be; see [`have_tools`].
///
/// # Errors
/// It cannot be had, in CI.
pub fn have_prometheus() -> io::Result<bool> {
    have_tools(&["prometheus", "promtool"])
}

/// For tests: whether these programs are at hand, fetched if need be. Where one cannot be had this says so past the test
/// runner's capture, and under `CI=true` it is an error: a check that did not run must not look like one that passed.
///
/// # Errors
/// One cannot be had, in CI.
pub fn have_tools(names: &[&str]) -> io::Result<bool> {
    static FETCHED: OnceLock<bool> = OnceLock::new();
    let script = repository().join("scripts/fetch-tools");
    let fetched = *FETCHED.get_or_init(|| Command::new(script).status().is_ok_and(|status| status.success()));
    let missing: Vec<&str> = names.iter().copied().filter(|name| !fetched || find_tool(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(true);
    }
    let missing = format!("no {} to test with; see what scripts/fetch-tools says", missing.join(", "));
    if env::var("CI").is_ok_and(|ci| ci == "true") {
        return Err(io::Error::other(missing));
    }
    writeln!(io::stderr(), "\n*** NOT TESTED: {missing} ***\n")?;
    Ok(false)
}
