//! The size of the binaries.

use std::{fs, io};

use crate::report::Limit::AtMost;
use crate::report::Report;
use crate::venues::Case;

/// The largest of the binaries that lie beside this one.
pub fn size(cases: &[Case], report: &mut Report) -> io::Result<()> {
    let own = std::env::current_exe()?;
    let sizes = cases.iter().map(|case| {
        let name = format!("{}-exporter", case.name());
        Ok((fs::metadata(own.with_file_name(&name))?.len(), name))
    });
    let (bytes, name) = sizes.collect::<io::Result<Vec<_>>>()?.into_iter().max().unwrap_or_default();
    report.target(&format!("largest binary, `{name}`"), AtMost(8.0), bytes as f64 / 1e6, " MB");
    Ok(())
}
