"""The checks of `make test-stack`, in the order in which a user would meet them. scripts/test-stack has made the engine, the base
images and a fresh checkout, in which this runs; arguments: the settings to add to .env, and the file that says that the other images are there."""

import json
import os
import re
import stat
import sys
import time
from pathlib import Path

from tools import PATIENCE, SHIFT, VENUES, Tally, address, compose, container, health, http, inspect, prometheus, query, run, status_of, targets, until

PROFILES = [*VENUES, "exchanges", "bots", "blackbox", "mongodb", "redis"]
RUNNING = "exchanges,bots,redis,mongodb,blackbox"
# Whose images are made from source.
OURS = {**VENUES, "bot": 8005}
SERVICES = [f"{one}-exporter" for one in OURS] + [
    "prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor", "blackbox-exporter", "mongodb-exporter", "redis-exporter",
]
# The only one, and the compose file says why.
ROOT = "cadvisor"
LIMIT = 15_000_000
PUBLISHED = {**{f"{venue.upper()}_PORT": port for venue, port in OURS.items()}, "PROMETHEUS_PORT": 9090, "ALERTMANAGER_PORT": 9093, "GRAFANA_PORT": 3000,
             "NODE_EXPORTER_PORT": 9100, "CADVISOR_PORT": 8181, "BLACKBOX_EXPORTER_PORT": 9115, "MONGODB_EXPORTER_PORT": 9216, "REDIS_EXPORTER_PORT": 9121}
REVISION = os.environ["REVISION"]
tally = Tally()
check = tally.check


def setup(settings):
    tally.part("make setup, and the settings")
    before = compose("config", "-q", check=False)
    check("without a password it does not start and says what to do", before.returncode and "make setup" in before.stderr, before.stderr[-300:])
    told = run("make", "setup")
    password = re.search(r"^GF_SECURITY_ADMIN_PASSWORD=(\S{24})$", Path(".env").read_text(), re.M)
    check("make setup writes a password and does not show it", password and password[1] not in told, told)
    mode = lambda path: stat.S_IMODE(Path(path).stat().st_mode)
    check("only the owner reads .env and passes secrets/ and data/", (mode(".env"), mode("secrets"), mode("data")) == (0o600, 0o700, 0o700), "")
    Path("secrets/okx/api_key").write_text("mine")
    first = Path(".env").read_text()
    run("make", "setup")
    check("a second make setup changes nothing", Path(".env").read_text() == first and Path("secrets/okx/api_key").read_text() == "mine")
    Path("secrets/okx/api_key").write_text("")

    defaults = compose("config", profiles="exchanges,bots,blackbox,mongodb,redis")
    for port, inside in ((8181, 8080), *((port, port) for name, port in PUBLISHED.items() if port != 8181)):
        # docker-compose 1.29 writes it on one line, later ones as a list.
        short = f"127.0.0.1:{port}:{inside}/tcp" in defaults
        long = re.search(rf"host_ip: 127\.0\.0\.1\s+target: {inside}\s+published: \"?{port}\"?", defaults)
        if not (short or long):
            check(f"port {port} is published on loopback", False)
    check("all default ports are published on loopback and nowhere else", "0.0.0.0" not in defaults)

    lines = [f"QUOTE_SOURCES=none\n{settings}", *(f"{name}={port + SHIFT}" for name, port in PUBLISHED.items())]
    for venue in VENUES:
        prefix, host = venue.upper(), f"fake-venues:{9000 + fake_place(venue)}"
        futures = "/futures" if venue == "kucoin" else ""
        lines += [f"{prefix}_REST_URL=http://{host}", f"{prefix}_REST_FUTURES_URL=http://{host}{futures}", f"{prefix}_WS_URL=ws://{host}",
                  f"{prefix}_WS_PRIVATE_URL=ws://{host}", f"{prefix}_ALLOW_PLAINTEXT=true", f"{prefix}_SYMBOLS=top:5"]
    lines += ["OKX_DATA_TIMEOUT=3s", "OKX_ACCOUNT=main", "REDIS_ADDR=redis://redis:6379"]
    stand_ins = {"GRAFANA": "grafana-stand-in"}
    for image in ("PROMETHEUS", "ALERTMANAGER", "GRAFANA", "NODE_EXPORTER", "CADVISOR", "BLACKBOX_EXPORTER", "MONGODB_EXPORTER", "REDIS_EXPORTER"):
        lines.append(f"{image}_IMAGE=stack-test/{stand_ins.get(image, image.lower().replace('_', '-'))}")
    lines += [f"{one.upper()}_EXPORTER_IMAGE=stack-test/{one}-exporter" for one in OURS]
    kept = [line for line in first.splitlines() if not line.startswith(("COMPOSE_", "#"))]
    Path(".env").write_text("\n".join([*kept, *lines]) + "\n")
    bad = [profile for profile in PROFILES if compose("config", "-q", profiles=profile, check=False).returncode]
    check("the compose file is valid with every profile", not bad, bad)
    return password[1] if password else ""


def fake_place(venue):
    """The fakes stand in this order behind their first port."""
    return ["binance", "kucoin", "bybit", "coinbase", "okx"].index(venue)


def every_setting():
    """Whatever flag has a variable is in the compose file and explained in .env.example."""
    composed, explained = Path("docker-compose-observability.yml").read_text(), Path(".env.example").read_text()
    missing = []
    for venue in OURS:
        told = run("docker", "run", "--rm", f"stack-test/{venue}-exporter", "--help")
        kept = ["LISTEN_ADDRESS", "WEB_CONFIG_FILE", "WEB_PROTECT_HEALTH"]
        # Where its files are in the container, the compose file says.
        kept += ["CATALOGUE_DIR", "EVENTS_TOKEN_FILE", "STATE_FILE"] if venue == "bot" else []
        named = set(re.findall(r"\[env: (\w+)\]", told)) - {f"{venue.upper()}_{name}" for name in kept}
        missing += [f"{name} in compose" for name in named if not re.search(rf"^\s+{name}:", composed, re.M)]
        missing += [f"{name} in .env.example" for name in named if not re.search(rf"^#?{name}=", explained, re.M)]
        check(f"{venue}: {len(named)} settings are handed over and explained", named and not missing, missing)
    used = set(re.findall(r"\$\{(\w+)", composed)) - {"VARIABLE", "REVISION", "VERSION"}
    absent = [name for name in used if not re.search(rf"^#?{name}=", explained, re.M)]
    check("every variable of the compose file is explained", not absent, absent)


def files(image):
    """What the image holds, without what the engine itself puts into a container."""
    made = run("docker", "create", image).strip()
    try:
        listed = run("sh", "-c", f"docker export {made} | tar -t").split()
    finally:
        run("docker", "rm", made)
    added = re.compile(r"^(\.dockerenv|dev/.*|proc/|sys/|etc/(hostname|hosts|mtab|resolv\.conf))$")
    return sorted(name for name in listed if not added.match(name))


HOLDS = ["etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "exporter"]


def images():
    tally.part("the images, from source")
    built = run("make", "images", check=False)
    if built.returncode:
        sys.exit(f"make images:\n{(built.stdout + built.stderr)[-6000:]}")
    for venue, port in OURS.items():
        one = inspect(f"stack-test/{venue}-exporter")
        config = one["Config"]
        check(f"{venue}: under 15 MB", one["Size"] < LIMIT, f"{one['Size'] / 1e6:.1f} MB")
        held = files(f"stack-test/{venue}-exporter")
        check(f"{venue}: holds its binary, certificates, and no more", held == HOLDS, held)
        facts = (config["User"], config["Healthcheck"]["Test"], list(config["ExposedPorts"]), config["Entrypoint"])
        wanted = ("65532:65532", ["CMD", "/exporter", "healthcheck"], [f"{port}/tcp"], ["/exporter"])
        check(f"{venue}: nobody's user, health check by its own subcommand, its port", facts == wanted, facts)
        labels = {name.rpartition(".")[2]: value for name, value in config["Labels"].items() if name.startswith("org.opencontainers.image.")}
        version = run("docker", "run", "--rm", f"stack-test/{venue}-exporter", "--version")
        right = labels["title"] == f"{venue}-exporter" and labels["revision"] == REVISION and f"revision {REVISION}" in version and labels["version"] in version
        check(f"{venue}: label and binary name the revision", right, f"{labels} {version}")
    no_shell = run("docker", "run", "--rm", "--entrypoint", "/bin/sh", "stack-test/okx-exporter", "-c", "true", check=False)
    check("no shell can be started", no_shell.returncode == 127, no_shell.stderr)
    every_setting()
    prebuilt()


def prebuilt():
    """The same image without compiling and without a base image: of the binary that was just made, as `make dist` lays it out."""
    made, folder = run("docker", "create", "stack-test/okx-exporter").strip(), Path("dist") / run("docker", "version", "--format", "{{.Server.Arch}}").strip()
    folder.mkdir(parents=True)
    run("docker", "cp", f"{made}:/exporter", str(folder / "okx-exporter"))
    run("docker", "cp", f"{made}:/etc/ssl/certs/ca-certificates.crt", "dist/ca-certificates.crt")
    run("docker", "rm", made)
    arguments = ["BINARY=prebuilt", "EXPORTER=okx", f"REVISION={REVISION}", "RUST_IMAGE=registry.invalid/none"]
    built = run("docker", "build", "--network", "none", *(part for one in arguments for part in ("--build-arg", one)), "--tag", "stack-test/prebuilt", ".",
                check=False, env={"DOCKER_BUILDKIT": "1"})
    held = files("stack-test/prebuilt") if built.returncode == 0 else built.stderr[-1000:]
    check("the same image is made from a prebuilt binary, without a base image", held == HOLDS, held)


def start(marker):
    tally.part("make up")
    if not until(lambda: Path(marker).exists(), 600):
        sys.exit("test-stack: the images of Debian's packages were not made")
    env = {"COMPOSE_PROFILES": RUNNING}
    compose("up", "-d", "fake-venues")
    fakes = until(lambda: http(f"http://{address('fake-venues')}:9004/fake/key")[0] == 200, 30)
    check("the fake venues answer", fakes)
    secrets = []
    # An account on two of them; the others' files stay empty.
    for venue in ("okx", "coinbase"):
        key = json.loads(http(f"http://{address('fake-venues')}:{9000 + fake_place(venue)}/fake/key")[1])
        for part, name in (("id", "api_key"), ("secret", "api_secret"), ("passphrase", "api_passphrase")):
            if key.get(part):
                Path(f"secrets/{venue}/{name}").write_text(key[part] + "\n")
                secrets.append(key[part].strip())
    began = time.monotonic()
    run("make", "up", env=env)
    sick = lambda: {one: health(one) for one in SERVICES if health(one) not in ("healthy",) and not (one == "mongodb-exporter" and health(one) == "running")}
    until(lambda: not sick(), PATIENCE)
    if check("all containers are healthy", not sick(), sick() or f"after {time.monotonic() - began:.0f} s") is False:
        for one in sick():
            print(run("docker", "logs", "--tail", "15", container(one)["Id"], check=False))
    return secrets


def scraped():
    tally.part("Prometheus")
    # The users' own jobs are empty, and a job of databases wants a file: added as a user adds one, without a reload.
    Path("prometheus/targets/redis-exporter/test.yml").write_text("- targets: [redis-exporter:9121]\n")
    Path("prometheus/targets/blackbox-exporter/test.yml").write_text("- targets: ['http://grafana:3000/api/health']\n")
    added = run("make", "add-target", "JOB=bot-exporter", "TARGET=bot-exporter:8005", env={"PROMETHEUS_URL": f"http://127.0.0.1:{9090 + SHIFT}"}, check=False)
    check("make add-target adds the bot gateway", added.returncode == 0, added.stdout + added.stderr)
    wanted = {f"{one}-exporter" for one in OURS} | {
        "prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor", "redis-exporter", "blackbox-exporter"}
    # No mongodb-exporter: it runs, but without a MongoDB, which is in no package, the one of Debian answers no scrape.
    up = lambda: {name.split()[0] for name, one in targets().items() if one["health"] == "up"}
    until(lambda: wanted <= up(), PATIENCE)
    down = {name: one["lastError"] for name, one in targets().items() if one["health"] != "up"}
    check(f"all {len(wanted)} jobs are UP and no target is down", wanted <= up() and not down, down or sorted(wanted - up()) or "")
    prices = lambda: {labels["exchange"] for labels, _ in query("exchange_last_price > 0")}
    until(lambda: prices() == set(VENUES), 60)
    check("prices of all five venues, whose names the exporters asked Docker's DNS for", prices() == set(VENUES), prices())
    equity = lambda: {labels["exchange"] for labels, value in query('exchange_equity{currency="USDT"} > 0')}
    until(lambda: equity() == {"okx", "coinbase"}, 60)
    check("mounted keys show an account, empty ones none", equity() == {"okx", "coinbase"}, equity())
    built = {(labels["revision"], labels["rustc"]) for labels, _ in query("exchange_exporter_build_info")}
    compiler = run("rustc", "--version").split()[1]
    check("build_info names revision and compiler", built == {(REVISION, compiler)}, built)
    log = run("docker", "logs", container("binance-exporter")["Id"], check=False)
    check("an exporter without a key says so", "market data only" in log.stdout + log.stderr)
    check("Redis is seen", until(lambda: query("redis_up == 1"), 30))
    named = lambda: {labels.get("name") for labels, _ in query('container_memory_usage_bytes{name!=""}')}
    check("cAdvisor knows containers by name", until(lambda: any("okx-exporter" in name for name in named()), 60), named())
    # The bridge of the stack's own network is there on the machine only, and in no container.
    cards = lambda: {labels["device"] for labels, _ in query("node_network_receive_bytes_total")}
    mine = {path.name for path in Path("/sys/class/net").iterdir()}
    bridge = "br-" + run("docker", "network", "ls", "--quiet", "--filter", "label=com.docker.compose.project=test-stack").strip()[:12]
    check("node-exporter tells the machine's network and not its container's", until(lambda: bridge in cards(), 30) and bridge in mine, cards())
    disks = lambda: {labels["mountpoint"] for labels, _ in query("node_filesystem_size_bytes")}
    check("node-exporter sees the machine's root", until(lambda: "/" in disks(), 30), disks())
    rules = [rule for group in (prometheus("/api/v1/rules") or {"groups": []})["groups"] for rule in group["rules"]]
    broken = [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"]
    check("all rules evaluate", rules and not broken, broken or f"{len(rules)} rules")
    links = {rule["annotations"]["runbook_url"].rpartition("/")[2] for rule in rules if rule["type"] == "alerting"}
    dead = [link for link in links if http(f"http://127.0.0.1:{9090 + SHIFT}/user/{link}")[0] != 200]
    check("Prometheus serves every alert's runbook", links and not dead, dead or f"{len(links)} runbooks")
    managers = prometheus("/api/v1/alertmanagers") or {}
    check("Prometheus tells Alertmanager", any("alertmanager:9093" in one["url"] for one in managers.get("activeAlertmanagers", [])), managers)
    silence = run("docker", "exec", container("alertmanager")["Id"], "amtool", "--alertmanager.url=http://127.0.0.1:9093", "silence", "add",
                  "exchange=okx", "--comment=test", "--author=test", "--duration=1h", check=False)
    listed = json.loads(http(f"http://127.0.0.1:{9093 + SHIFT}/api/v2/silences")[1])
    check("amtool silences a venue", silence.returncode == 0 and [one["id"] for one in listed] == [silence.stdout.strip()], silence.stderr)
    boards = json.loads(http(f"http://127.0.0.1:{3000 + SHIFT}/api/health")[1])
    check("the STAND-IN for Grafana has dashboards and data sources", len(boards["dashboards"]) > 5 and boards["datasources"]["prometheus"] == "http://prometheus:9090", boards)
    compose("exec", "-T", "prometheus", "promtool", "check", "config", "/etc/prometheus/config/prometheus.yml")


def token():
    return Path("secrets/bots/token").read_text().strip()


def bots():
    """What a bot posts with the token counts, once, is in Prometheus, and outlives a restart."""
    tally.part("the bot gateway")
    place = f"http://127.0.0.1:{OURS['bot'] + SHIFT}/events"
    trade = {"metric": "trades_executed_total", "labels": {"bot": "test", "symbol": "BTCUSDT", "side": "buy", "status": "filled"}, "add": 2, "id": "trade-1"}

    def post(body, **headers):
        return http(place, "POST", body, {"Content-Type": "application/json", **headers})

    refused = [post(trade)[0], post(trade, Authorization="Bearer another-token-of-somebody")[0]]
    check("who names no token or another one is refused", refused == [401, 401], refused)
    bearer = {"Authorization": f"Bearer {token()}"}
    told = [post(trade, **bearer), post(trade, **bearer)]
    counts = [json.loads(text) for status, text in told if status == 200]
    check("the token of make setup posts, and what is repeated counts once", counts == [{"applied": 1, "repeated": 0}, {"applied": 0, "repeated": 1}], told)
    shown = lambda value: query(f'trades_executed_total{{bot="test", job="bot-exporter"}} == {value}')
    check("Prometheus has it, under the name of its bot", until(lambda: shown(2), 30))
    compose("restart", "bot-exporter", profiles=RUNNING)
    check("healthy again after a restart", until(lambda: health("bot-exporter") == "healthy", 60), health("bot-exporter"))
    told = [post(trade, **bearer), post({**trade, "id": "trade-2", "add": 1}, **bearer)]
    counts = [json.loads(text) for status, text in told if status == 200]
    check("which remembers what was repeated", counts == [{"applied": 0, "repeated": 1}, {"applied": 1, "repeated": 0}], told)
    check("and what was counted", until(lambda: shown(3), 30))


def hardened(secrets):
    tally.part("what a container may do")
    for service in SERVICES:
        one = container(service)
        host, pid = one["HostConfig"], one["State"]["Pid"]
        now = status_of(pid)
        facts = {
            "read-only": host["ReadonlyRootfs"], "no privileges": host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"],
            "none to gain": now["NoNewPrivs"] == "1", "no capability": int(now["CapEff"], 16) == 0 and int(now["CapBnd"], 16) == 0,
            "limited": host["Memory"] and host["NanoCpus"] and host["PidsLimit"], "restarted": host["RestartPolicy"]["Name"] == "unless-stopped",
            "log rotated": host["LogConfig"]["Config"].get("max-size"), "not root": service == ROOT or now["Uid"].split()[0] not in ("0", ""),
            "on loopback only": all(bind["HostIp"] == "127.0.0.1" for binds in host["PortBindings"].values() for bind in binds),
        }
        check(f"{service}: {', '.join(facts)}", all(facts.values()), [name for name, true in facts.items() if not true])
    uid = {status_of(container(f"{one}-exporter")["State"]["Pid"])["Uid"].split()[0] for one in OURS}
    check("exporters run as 65532", uid == {"65532"}, uid)
    heard = run("ss", "-Hltn", check=False).stdout.split()
    open_ones = [place for place in heard for port in PUBLISHED.values() if place.endswith(f":{port + SHIFT}") and not place.startswith("127.0.0.1:")]
    check("this machine listens on loopback only", not open_ones and f"127.0.0.1:{8004 + SHIFT}" in heard, open_ones)
    shown = "".join(json.dumps(container(service)) for service in SERVICES)
    shown += "".join(Path(f"/proc/{container(f'{venue}-exporter')['State']['Pid']}/environ").read_text() for venue in OURS)
    check("no part of a key is in docker inspect or in an environment", not any(secret in shown for secret in secrets) and len(secrets) == 5, len(secrets))
    check("nor is the token of the bots", token() not in shown)


def broken():
    tally.part("what breaks, and comes back")
    fake = f"http://{address('fake-venues')}:{9000 + fake_place('okx')}/fake/fault"
    http(fake, "POST", {"fault": "silent"})
    check("a silent venue makes its exporter unhealthy", until(lambda: health("okx-exporter") == "unhealthy", 90), health("okx-exporter"))
    probe = container("okx-exporter")["State"]["Health"]["Log"][-1]
    check("and the health check says why", probe["ExitCode"] == 1 and probe["Output"].strip(), probe)
    others = [health(f"{venue}-exporter") for venue in VENUES if venue != "okx"]
    check("the others do not care", set(others) == {"healthy"}, others)
    http(fake, "DELETE")
    check("healthy again when the venue is", until(lambda: health("okx-exporter") == "healthy", 90), health("okx-exporter"))

    before = container("bybit-exporter")
    # The process and not the container: Docker takes `docker kill` for the user's wish that it stay down.
    os.kill(before["State"]["Pid"], 9)
    began = time.monotonic()
    again = lambda: (container("bybit-exporter")["RestartCount"] == before["RestartCount"] + 1 and container("bybit-exporter")["State"]["Running"])
    check("a killed exporter is started again", until(again, 60), f"after {time.monotonic() - began:.1f} s")
    later = container("bybit-exporter")["State"]["StartedAt"]
    healthy = until(lambda: health("bybit-exporter") == "healthy" and query('up{job="bybit-exporter"} == 1'), 90)
    check("and healthy and UP again", healthy and later != before["State"]["StartedAt"], health("bybit-exporter"))

    began = time.monotonic()
    compose("stop", "kucoin-exporter", profiles=RUNNING)
    took, state = time.monotonic() - began, container("kucoin-exporter")["State"]
    check("SIGTERM ends an exporter within seconds, well", took < 6 and state["ExitCode"] == 0, f"{took:.1f} s, status {state['ExitCode']}")
    check("Prometheus notices", until(lambda: query('up{job="kucoin-exporter"} == 0'), 30))
    Path("secrets/kucoin/api_key").write_text("half-a-key")
    compose("start", "kucoin-exporter", profiles=RUNNING)
    half = lambda: run("docker", "logs", "--tail", "3", container("kucoin-exporter")["Id"], check=False).stderr
    check("half a key does not start, and is told", until(lambda: "incomplete" in half() and "KUCOIN_API_SECRET_FILE" in half(), 30), half())
    Path("secrets/kucoin/api_key").write_text("")
    check("and starts when it is whole or gone", until(lambda: health("kucoin-exporter") == "healthy", 120), health("kucoin-exporter"))
    run("make", "reload", env={"COMPOSE_PROFILES": RUNNING})
    loaded = query("prometheus_config_last_reload_successful == 1 and time() - prometheus_config_last_reload_success_timestamp_seconds < 60")
    check("make reload reloads", loaded or until(lambda: query("time() - prometheus_config_last_reload_success_timestamp_seconds < 60"), 30))


def stop():
    tally.part("make down")
    began = time.monotonic()
    run("make", "down", env={"COMPOSE_PROFILES": RUNNING})
    check("everything stops in time", time.monotonic() - began < 60, f"{time.monotonic() - began:.0f} s")
    check("nothing is left but the data", not any(container(service) for service in SERVICES))
    kept = set(run("docker", "volume", "ls", "--quiet").split())
    check("which stays", {f"test-stack_{name}-data" for name in ("prometheus", "alertmanager", "grafana")} <= kept, kept)


def main():
    settings, marker = sys.argv[1:]
    setup(Path(settings).read_text())
    images()
    secrets = start(marker)
    scraped()
    bots()
    hardened(secrets)
    broken()
    stop()
    return tally.close()


sys.exit(main())
