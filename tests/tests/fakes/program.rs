//! The program: prints where it listens, and ends with whoever started it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn says_where_it_listens_and_ends_with_its_input() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-venues"));
    command.args(["--symbols", "5", "--until-stdin-closes"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut addresses = Vec::new();
    for name in ["binance", "kucoin", "bybit", "coinbase", "okx"] {
        let line = lines.next().unwrap();
        let [venue, rest, ws] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let address = rest.strip_prefix("http://").unwrap();
        assert_eq!((venue, ws), (name, format!("ws://{address}").as_str()));
        TcpStream::connect(address).unwrap();
        addresses.push(address.to_owned());
    }
    assert_eq!(lines.next().as_deref(), Some("ready"));
    let asked = Instant::now();
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(8));
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_err()));
}

#[test]
fn knows_its_venues() {
    let output = Command::new(env!("CARGO_BIN_EXE_fake-venues")).args(["--venue", "nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("binance, kucoin, bybit, coinbase, okx"));
}
