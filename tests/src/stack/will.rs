//! What happens to the suite if its owner dies with no chance to clean up: killed outright, or aborted.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads process groups until its standard input closes, which means that their owner is gone; then kills them and
/// removes the files.
const SCRIPT: &str = r#"
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -s KILL -- $groups 2>/dev/null
rm -rf "$1"
"#;

/// A small shell that waits for our death. Dropping this in good order revokes it.
#[derive(Debug)]
pub struct Will {
    executor: Child,
    heirs: Option<ChildStdin>,
}

impl Will {
    /// The will covers this folder, and every process group added later.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "suite-will"]).arg(folder).process_group(0);
        let mut executor = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { heirs: executor.stdin.take(), executor })
    }

    /// This process group dies with us, too.
    pub fn add(&mut self, group: u32) -> io::Result<()> {
        self.heirs.as_mut().map_or(Ok(()), |heirs| writeln!(heirs, "{group}"))
    }
}

impl Drop for Will {
    fn drop(&mut self) {
        let _ = self.executor.kill();
        let _ = self.executor.wait();
    }
}
