"""What the checks of `make test-stack` stand on: Docker, HTTP, waiting, and a tally."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

VENUES = {"binance": 8000, "kucoin": 8001, "bybit": 8002, "coinbase": 8003, "okx": 8004}
# Ports of the test's own, so that a stack that runs on this machine goes on; outside of those that systems and other tests hand out.
SHIFT = 3000
PATIENCE = 180


class Tally:
    """Prints every check as it passes or fails; a failed one does not stop the others."""

    def __init__(self):
        self.passed, self.failed, self.began = 0, [], time.monotonic()

    def check(self, what, true, told=""):
        if true:
            self.passed += 1
        else:
            self.failed.append(what)
        # What went well is told in a line or not at all.
        short = isinstance(told, str) and len(told) < 40 and "\n" not in told
        print(f"  {'ok  ' if true else 'FAIL'} {what}" + (f": {told}" if told != "" and (not true or short) else ""), flush=True)
        return bool(true)

    def part(self, title):
        print(f"── {title} [{time.monotonic() - self.began:.0f} s]", flush=True)

    def close(self):
        for what in self.failed:
            print(f"  FAILED: {what}")
        print(f"{self.passed} passed, {len(self.failed)} failed")
        return 1 if self.failed else 0


def run(*command, check=True, env=None):
    """Standard output of a command; with `check=False` the finished process instead."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)
    if not check:
        return done
    if done.returncode:
        sys.exit(f"test-stack: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def compose(*arguments, profiles=None, check=True, env=None):
    extra = dict(env or {})
    if profiles is not None:
        extra["COMPOSE_PROFILES"] = profiles
    return run("scripts/compose", *arguments, check=check, env=extra)


def inspect(name):
    return json.loads(run("docker", "inspect", name))[0]


def container(service):
    """The service's container, stopped or not, whichever name this compose gives it."""
    labels = ["com.docker.compose.project=test-stack", f"com.docker.compose.service={service}"]
    filters = [part for label in labels for part in ("--filter", f"label={label}")]
    found = run("docker", "ps", "--all", "--quiet", *filters).split()
    return inspect(found[0]) if found else None


def health(service):
    one = container(service)
    if one is None:
        return "absent"
    state = one["State"]
    return state.get("Health", {}).get("Status", state["Status"])


def address(service):
    """Its address in the stack's network, which this machine can reach though nobody else can."""
    (network,) = container(service)["NetworkSettings"]["Networks"].values()
    return network["IPAddress"]


def http(url, method="GET", body=None, headers=None):
    """Status and text; 0 where nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def prometheus(path):
    status, text = http(f"http://127.0.0.1:{9090 + SHIFT}{path}")
    return json.loads(text)["data"] if status == 200 else None


def query(expression):
    """The samples of an instant query, as (labels, value)."""
    data = prometheus("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    return [(one["metric"], float(one["value"][1])) for one in (data or {}).get("result", [])]


def targets():
    data = prometheus("/api/v1/targets?state=active")
    return {one["scrapePool"] + " " + one["labels"].get("instance", ""): one for one in (data or {}).get("activeTargets", [])}


def until(seen, patience=PATIENCE, pause=0.5):
    """Asks again and again until the answer is true; returns the last answer."""
    end = time.monotonic() + patience
    while True:
        answer = seen()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)


def status_of(pid):
    """/proc/<pid>/status, by name."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
