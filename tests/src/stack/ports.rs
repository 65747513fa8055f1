//! The suite's ports: where they lie, whether they are free, and who has them if not.

use super::VENUES;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the bot gateway, Prometheus and Alertmanager are from the first exporter's port: 8005, 9090 and 9093 from 8000.
const GATEWAY: u16 = 5;
const PROMETHEUS: u16 = 1090;
const ALERTMANAGER: u16 = 1093;

/// The ports of one suite, all shifted together by the port of the first exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    base: u16,
}

impl Ports {
    /// The usual ports: 8000 to 8005, 9090 and 9093.
    pub const DEFAULT_BASE: u16 = 8000;
    /// The largest base that leaves room for Alertmanager's port.
    pub const LARGEST_BASE: u16 = u16::MAX - ALERTMANAGER;

    /// Counted from the first exporter's port, at most [`Self::LARGEST_BASE`].
    #[must_use]
    pub fn from_base(base: u16) -> Self {
        Self { base: base.min(Self::LARGEST_BASE) }
    }

    /// Ports that are free now and nobody else's until this process ends, for a test: other ones each time, starting from a
    /// place that depends on the process, so that tests at the same time seldom meet. Where they do, the last port of
    /// each ten, on which nobody serves, says whose the others are.
    ///
    /// # Errors
    /// No eight fitting ports are free.
    pub fn free() -> io::Result<Self> {
        const FIRST: u32 = 12_000;
        const STEPS: u32 = 1500;
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let start = std::process::id().wrapping_mul(7);
        (0..STEPS)
            .map(|_| FIRST + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % STEPS * 10)
            .filter_map(|base| u16::try_from(base).ok().map(Self::from_base))
            .find(|ports| ports.claim() && ports.named().iter().all(|&(_, port)| is_free(port)))
            .ok_or_else(|| io::Error::other("no free ports for the suite"))
    }

    /// Whether nobody else has claimed them; what is claimed once stays so, used or not.
    fn claim(self) -> bool {
        static CLAIMED: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
        let claim = |base: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, base + 9));
        let (Ok(exporters), Ok(prometheus)) = (claim(self.base), claim(self.prometheus())) else { return false };
        CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).extend([exporters, prometheus]);
        true
    }

    /// The first exporter's port.
    #[must_use]
    pub fn base(self) -> u16 {
        self.base
    }

    /// The port of the exporter at this place in [`VENUES`].
    #[must_use]
    pub fn exporter(self, place: usize) -> u16 {
        self.base + u16::try_from(place).unwrap_or(0)
    }

    /// The port of the bot gateway.
    #[must_use]
    pub fn gateway(self) -> u16 {
        self.base + GATEWAY
    }

    /// Prometheus's port.
    #[must_use]
    pub fn prometheus(self) -> u16 {
        self.base + PROMETHEUS
    }

    /// Alertmanager's port.
    #[must_use]
    pub fn alertmanager(self) -> u16 {
        self.base + ALERTMANAGER
    }

    /// Each port, by the name of the program that listens there.
    #[must_use]
    pub fn named(self) -> Vec<(&'static str, u16)> {
        let exporters = VENUES.iter().enumerate().map(|(place, venue)| (venue.exporter, self.exporter(place)));
        let others = [
            ("bot-exporter", self.gateway()),
            ("prometheus", self.prometheus()),
            ("alertmanager", self.alertmanager()),
        ];
        exporters.chain(others).collect()
    }

    /// Those that somebody else has, each as a sentence that names the owner.
    #[must_use]
    pub fn taken(self) -> Vec<String> {
        let taken = self.named().into_iter().filter(|&(_, port)| !is_free(port));
        taken.map(|(name, port)| format!("port {port} ({name}) is taken by {}", owner(port))).collect()
    }
}

/// Whether a server of ours could have the port. `localhost` may mean either loopback address, so both must be free.
fn is_free(port: u16) -> bool {
    let bind = |address: std::net::IpAddr| TcpListener::bind((address, port)).map_err(|error| error.kind());
    bind(Ipv4Addr::LOCALHOST.into()).is_ok()
        && !matches!(bind(Ipv6Addr::LOCALHOST.into()), Err(ErrorKind::AddrInUse | ErrorKind::PermissionDenied))
}

/// Who listens on a port, as far as this user may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A process that we may look into.
    Process {
        /// Its short name.
        name: String,
        /// Its process id.
        id: u32,
    },
    /// A socket of this user id, in a process that we may not look into.
    User(u32),
    /// Nothing to be seen, as when the listener is outside of our container.
    Unseen,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { name, id } => write!(f, "{name} (pid {id})"),
            Self::User(user) => write!(f, "a process of user {user} that this user may not see"),
            Self::Unseen => write!(f, "a process that cannot be seen from here"),
        }
    }
}

/// The listener on `port`: the kernel's socket table gives the socket's inode, and `/proc/*/fd` the process that holds it.
#[must_use]
pub fn owner(port: u16) -> Owner {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let Some((user, inode)) = tables.iter().find_map(|table| listener(table, port)) else {
        return Owner::Unseen;
    };
    holder(&format!("socket:[{inode}]")).unwrap_or(Owner::User(user))
}

/// User id and inode of the socket that listens on `port`, from the text of `/proc/net/tcp`.
fn listener(table: &str, port: u16) -> Option<(u32, &str)> {
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local_port = u16::from_str_radix(fields.get(1)?.rsplit(':').next()?, 16).ok()?;
        (local_port == port && *fields.get(3)? == LISTENING).then_some(())?;
        Some((fields.get(7)?.parse().ok()?, *fields.get(9)?))
    })
}

/// The process with this socket among its open files.
fn holder(socket: &str) -> Option<Owner> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.into_iter().find_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|target| target == Path::new(socket))).then_some(())?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        Some(Owner::Process { name: name.trim_end().to_owned(), id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_owner_of_a_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert!(matches!(owner(port), Owner::Process { id, .. } if id == std::process::id()));
    }

    #[test]
    fn a_listener_on_one_loopback_address_takes_the_port() {
        let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn free_ports_are_claimed() {
        let ports = Ports::free().unwrap();
        assert!(!ports.claim() && ports.taken().is_empty());
        assert!(Ports::free().unwrap().base() != ports.base());
    }

    #[test]
    fn default_ports_are_those_of_the_configuration() {
        let ports: Vec<u16> = Ports::from_base(Ports::DEFAULT_BASE).named().iter().map(|named| named.1).collect();
        assert_eq!(ports, [8000, 8001, 8002, 8003, 8004, 8005, 9090, 9093]);
    }
}
