//! Hands the build's origin to `exchange_exporter_build_info`.

use std::process::Command;

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

fn main() {
    // An image is built without .git; its build passes the revision in.
    let given = std::env::var("BUILD_REVISION").ok().filter(|revision| !revision.is_empty());
    let revision =
        given.or_else(|| first_line("git", &["rev-parse", "--short=12", "HEAD"])).unwrap_or_else(|| "unknown".into());
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustc = first_line(&compiler, &["--version"]).and_then(|line| line.split(' ').nth(1).map(str::to_owned));
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!("cargo::rustc-env=BUILD_RUSTC={}", rustc.unwrap_or_else(|| "unknown".into()));
    println!("cargo::rerun-if-env-changed=BUILD_REVISION");
    // A file that is not there counts as changed each time: without git, and in a worktree, whose HEAD is elsewhere.
    if let Some(head) = first_line("git", &["rev-parse", "--git-path", "HEAD"]) {
        println!("cargo::rerun-if-changed={head}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
