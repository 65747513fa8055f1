"""What the rest of the project says, read from where it says it: nothing is repeated here."""

import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read(path):
    return (ROOT / path).read_text()


def ports():
    """Each venue's port, from the README's table."""
    rows = re.findall(r"^\| \w+ \| `(\w+)-exporter` \| (\d+) \|", read("README.md"), re.M)
    assert len(rows) == 5, rows
    return {venue: int(port) for venue, port in rows}


def bot_port():
    """The bot gateway's, from its source."""
    return int(re.search(r"port: (\d+),", read("exporters/bot/src/config.rs")).group(1))


def bot_settings():
    """Every variable that the bot gateway reads, from docs/bot-gateway.md."""
    names = set(re.findall(r"^\| `--[^|]*\| `([A-Z_]+)` \|", read("docs/bot-gateway.md"), re.M))
    assert len(names) > 10, names
    return names


def settings(venue):
    """Every variable that the venue's exporter reads, from docs/configuration.md and the venue's list of credentials."""
    prefix = venue.upper() + "_"
    table = re.findall(r"^\| `--[^|]*\| `([A-Z_]+)` \|", read("docs/configuration.md"), re.M)
    assert len(table) > 15, table
    names = {prefix + name[2:] if name.startswith("X_") else name for name in table}
    parts = re.search(r"credentials: &\[([^\]]*)\]", read(f"exporters/{venue}/src/lib.rs")).group(1)
    for part in re.findall(r'"(\w+)"', parts):
        names |= {prefix + part, prefix + part + "_FILE"}
    return names


def credentials(venue):
    """The variables for mounted keys that this venue wants, all of them."""
    return {name for name in settings(venue) if name.endswith("_FILE") and "_API_" in name}


def venue_ports(venue, testnet):
    """The ports of the venue's addresses in its source."""
    source = read(f"exporters/{venue}/src/lib.rs")
    live, test = re.search(r"live:(.*?)test:(.*?)credentials:", source, re.S).groups()
    urls = re.findall(r'"(?:https|wss)://[\w.-]+(?::(\d+))?', test if testnet else live)
    assert urls, f"{venue}: no addresses"
    return {int(port or 443) for port in urls}


def jobs():
    """Prometheus' own scrape jobs by name."""
    return {job["job_name"]: job for job in yaml.safe_load(read("prometheus/prometheus.yml"))["scrape_configs"]}


def rule_files():
    return sorted([*ROOT.glob("prometheus/rules/*.yml"), *ROOT.glob("prometheus/alerts/*.yml")])


def runbooks():
    return {path.name: path.read_text() for path in sorted(ROOT.glob("docs/runbooks/*.md"))}
