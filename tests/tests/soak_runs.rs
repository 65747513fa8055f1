//! The soak program's usage. A soak itself is no test: a day of it lasts two minutes, and one that is shorter tries only how often lines
//! may be cut within the minute after which waits between dials start over.

use std::io;
use std::process::Command;

use fake_venues::stack::build;

#[test]
fn what_makes_no_sense_is_refused() -> io::Result<()> {
    let output = Command::new(build()?.join("soak")).arg("--minutes=0").output()?;
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
