"""Stands in for Grafana in `make test-stack`, where the real one cannot be had: it is in none of Debian's packages.

It shows that the compose file gives the real one what it needs: a password, provisioning files that parse and name readable
paths, dashboards with a uid each, a folder to write to. It proves nothing about how dashboards look; the tests of grafana/ ask every one of their queries.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

PROVISIONING = Path("/etc/grafana/provisioning")
DATA = Path("/var/lib/grafana")


def need(true, what):
    """Ends the start, as the real one ends or complains."""
    if not true:
        sys.exit(f"grafana stand-in: {what}")


def sections(kind, name):
    """All entries called `name` in the provisioning files of a kind; the real one replaces $__env{X} in them."""
    files = sorted((PROVISIONING / kind).glob("*.y*ml"))
    need(files, f"no provisioning files of {kind}")
    found = []
    for file in files:
        content = yaml.safe_load(file.read_text())
        need(content.get("apiVersion") == 1, f"{file}: apiVersion")
        found += content.get(name) or []
    need(found, f"no {name}")
    return found


def filled(text):
    """With the variables that `$__env{X}` names; one that is not set is an error, as an empty address is none."""
    while "$__env{" in text:
        name = text.split("$__env{", 1)[1].split("}", 1)[0]
        need(os.environ.get(name), f"{name} is not set, which a data source reads")
        text = text.replace("$__env{" + name + "}", os.environ[name])
    return text


def dashboards():
    """The uids of all provisioned dashboards."""
    uids = []
    for provider in sections("dashboards", "providers"):
        folder = Path(provider["options"]["path"])
        need(folder.is_dir(), f"{folder} is not mounted")
        for file in sorted(folder.rglob("*.json")):
            board = json.loads(file.read_text())
            need(board.get("uid") and board.get("title") and board.get("panels"), f"{file} is no dashboard")
            uids.append(board["uid"])
    need(uids, "no dashboards")
    need(len(uids) == len(set(uids)), "a uid is there twice")
    return uids


class Answers(BaseHTTPRequestHandler):
    """`/api/health` and `/metrics`, as far as the stack reads them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        pages = {
            "/api/health": ("application/json", json.dumps({"database": "ok", "version": "stand-in", "dashboards": UIDS, "datasources": SOURCES})),
            "/metrics": ("text/plain; version=0.0.4", "# TYPE grafana_build_info gauge\ngrafana_build_info{version=\"stand-in\"} 1\n"),
        }
        kind, body = pages.get(self.path, ("text/plain", "the stand-in has no such page\n"))
        self.send_response(200 if self.path in pages else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Nobody reads it."""


need(os.environ.get("GF_SECURITY_ADMIN_PASSWORD"), "no password")
(DATA / "grafana.db").write_text("written")
Path("/tmp/plugin").write_text("written")
SOURCES = {source["uid"]: filled(source["url"]) for source in sections("datasources", "datasources")}
UIDS = dashboards()
ThreadingHTTPServer(("", 3000), Answers).serve_forever()
