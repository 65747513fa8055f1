//! The files that the suite's Prometheus reads: the repository's own, with only those targets that this suite runs.

use super::{Ports, Target, repository};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The last word on a file that Prometheus reads: from its path below `prometheus/` and its text, the text to use.
pub type Rewrite = Box<dyn Fn(&Path, &str) -> String + Send + Sync>;

/// What is different from how the repository runs Prometheus; by default nothing.
#[derive(Default)]
pub struct PrometheusSetup {
    /// Changes `prometheus.yml`, the rules and the alerts, for example to compress time.
    pub rewrite: Option<Rewrite>,
    /// More flags.
    pub flags: Vec<String>,
}

impl fmt::Debug for PrometheusSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusSetup").field("flags", &self.flags).finish_non_exhaustive()
    }
}

/// Writes into `folder` what Prometheus runs with: the repository's configuration, rules and alerts, and a folder
/// without targets for every job. Returns the path of the configuration.
///
/// # Errors
/// A file cannot be read or written.
pub fn configure(folder: &Path, setup: &PrometheusSetup) -> io::Result<PathBuf> {
    let source = repository().join("prometheus");
    let config = Path::new("prometheus.yml");
    copy(&source, folder, config, setup)?;
    for part in ["rules", "alerts"] {
        for file in names_in(&source.join(part))? {
            copy(&source, folder, &Path::new(part).join(file), setup)?;
        }
    }
    for job in names_in(&source.join("targets"))? {
        fs::create_dir_all(folder.join("targets").join(job))?;
    }
    Ok(folder.join(config))
}

fn copy(source: &Path, folder: &Path, file: &Path, setup: &PrometheusSetup) -> io::Result<()> {
    let text = fs::read_to_string(source.join(file))?;
    let text = setup.rewrite.as_ref().map_or_else(|| text.clone(), |rewrite| rewrite(file, &text));
    let target = folder.join(file);
    fs::create_dir_all(target.parent().unwrap_or(folder))?;
    fs::write(target, text)
}

/// What is in a folder; nothing where there is none.
fn names_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().into())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Adds a server of the suite to its job: by the repository's own target file, with its address moved to `localhost`.
///
/// # Errors
/// The repository's file is missing or names another address than the usual one, or the file cannot be written.
pub fn add_suite_target(folder: &Path, target: Target) -> io::Result<()> {
    let file = repository().join("prometheus/targets").join(target.name).join("default.yml");
    let text = fs::read_to_string(&file)?;
    let usual = Ports::from_base(Ports::DEFAULT_BASE).named();
    let usual = usual.iter().find(|(name, _)| *name == target.name).map_or(0, |&(_, port)| port);
    let moved = move_address(&text, target.name, usual, target.port);
    let moved = moved.ok_or_else(|| io::Error::other(format!("{} does not name port {usual}", file.display())))?;
    write_target(folder, target.name, "suite", &moved)
}

/// The target file with its one address replaced; none if it is not the service by its name.
fn move_address(text: &str, service: &str, usual: u16, new: u16) -> Option<String> {
    // Prometheus scrapes itself.
    let host = if service == "prometheus" { "localhost" } else { service };
    let address = format!("targets: [{host}:{usual}]");
    text.contains(&address).then(|| text.replace(&address, &format!("targets: [localhost:{new}]")))
}

/// Writes a file of targets, whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn write_target(folder: &Path, job: &str, name: &str, text: &str) -> io::Result<()> {
    let folder = folder.join("targets").join(job);
    fs::create_dir_all(&folder)?;
    // Prometheus reads what ends in .yml.
    let draft = folder.join(format!("{name}.draft"));
    fs::write(&draft, text)?;
    fs::rename(draft, folder.join(format!("{name}.yml")))
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;

    #[test]
    fn every_server_of_the_suite_has_a_target_file() {
        let scratch = Scratch::new("targets-test").unwrap();
        // The gateway has none: who does not run it should not be told that it is down.
        let named = Ports::from_base(20_000).named();
        for &(name, port) in named.iter().filter(|(name, _)| *name != "bot-exporter") {
            add_suite_target(scratch.path(), Target { name, port }).unwrap();
            let text = fs::read_to_string(scratch.path().join("targets").join(name).join("suite.yml")).unwrap();
            assert!(text.contains(&format!("targets: [localhost:{port}]")), "{text}");
            let exchange = name.strip_suffix("-exporter").map(|venue| format!("exchange: {venue}"));
            assert!(exchange.is_none_or(|label| text.contains(&label)), "{text}");
        }
    }

    #[test]
    fn a_file_is_rewritten_by_its_path() {
        let scratch = Scratch::new("setup-test").unwrap();
        let rewrite: Rewrite = Box::new(|file, text| match file.to_str() {
            Some("prometheus.yml") => text.replace("15s", "1s"),
            _ => text.to_owned(),
        });
        let config = configure(scratch.path(), &PrometheusSetup { rewrite: Some(rewrite), flags: Vec::new() }).unwrap();
        let text = fs::read_to_string(config).unwrap();
        assert!(text.contains("evaluation_interval: 1s") && !text.contains("15s"), "{text}");
        assert_eq!(fs::read_dir(scratch.path().join("targets/okx-exporter")).unwrap().count(), 0);
    }
}
