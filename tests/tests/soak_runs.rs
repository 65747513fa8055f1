//! The soak program works: a short run of it finds nothing, and says what it saw.

use std::io;
use std::process::Command;

use fake_venues::Venue;
use fake_venues::stack::build;

#[test]
fn a_short_soak_finds_nothing() -> io::Result<()> {
    let mut soak = Command::new(build()?.join("soak"));
    let output = soak.args(["--minutes=0.3", "--hour=2"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    for venue in Venue::ALL {
        let row = said.lines().find(|line| line.starts_with(&format!("| {} |", venue.name())));
        let cells: Vec<&str> = row.unwrap_or_default().split(" | ").collect();
        let number = |at: usize| cells.get(at).and_then(|cell| cell.parse::<u32>().ok()).unwrap_or(0);
        // Hours, deeds, scrapes, pages, dials, comparisons.
        assert!((1..=6).all(|at| number(at) > 0), "{}:\n{said}", venue.name());
    }
    Ok(())
}

#[test]
fn what_makes_no_sense_is_refused() -> io::Result<()> {
    let output = Command::new(build()?.join("soak")).arg("--minutes=0").output()?;
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
