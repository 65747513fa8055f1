"""What no schema knows: that the objects of one build fit each other and the rest of the project."""

import json
import re

import project
import yaml

LABEL = "app.kubernetes.io/name"
# `kubectl apply` keeps the whole object in an annotation, which may not be larger.
LARGEST = 262144


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def selects(selector, labels):
    return selector.items() <= labels.items()


def faults(things):
    by_kind = {}
    for thing in things:
        by_kind.setdefault(thing["kind"], []).append(thing)
    found = [f"{kind(t)}: {size} bytes, kubectl cannot apply it" for t in things if (size := len(json.dumps(t))) > LARGEST]
    found += [f"{kind(secret)}: secrets have no place in a file" for secret in by_kind.get("Secret", [])]
    deployments = by_kind.get("Deployment", [])
    for deployment in deployments:
        is_venue = "exchange" in deployment["spec"]["template"]["metadata"]["labels"]
        judge = deployment_faults if is_venue else bot_faults
        found += [f"{kind(deployment)}: {fault}" for fault in judge(deployment, by_kind)]
    for monitor in by_kind.get("PodMonitor", []):
        found += [f"{kind(monitor)}: {fault}" for fault in monitor_faults(monitor, deployments)]
    if rules := by_kind.get("PrometheusRule"):
        found += rule_faults(rules)
    for runbooks in by_kind.get("ConfigMap", []):
        if (runbooks.get("data") or {}) != project.runbooks():
            found.append(f"{kind(runbooks)}: differs from docs/runbooks")
    return found


def kind(thing):
    return f"{thing['kind']} {thing['metadata']['name']}"


def deployment_faults(deployment, by_kind):
    labels, pod, container, environment, port, mine = parts(deployment, by_kind)
    venue = labels["exchange"]
    yield from exporter_faults(deployment, by_kind, venue, project.ports()[venue], project.settings(venue))
    yield from key_faults(venue, environment, container, pod)
    if len(mine) == 1:
        yield from policy_faults(mine[0], port["containerPort"], venue, environment.get(f"{venue.upper()}_TESTNET") == "true")


def parts(deployment, by_kind):
    spec = deployment["spec"]
    labels, pod = spec["template"]["metadata"]["labels"], spec["template"]["spec"]
    (container,) = pod["containers"]
    environment = {entry["name"]: entry["value"] for entry in container.get("env", [])}
    (port,) = container["ports"]
    policies = [p for p in by_kind.get("NetworkPolicy", []) if p["metadata"]["name"] != "default-deny"]
    mine = [p["spec"] for p in policies if selects(p["spec"]["podSelector"].get("matchLabels", {}), labels)]
    return labels, pod, container, environment, port, mine


def exporter_faults(deployment, by_kind, name, wanted_port, settings):
    """What holds for every exporter."""
    spec = deployment["spec"]
    labels, pod, container, environment, port, mine = parts(deployment, by_kind)
    monitors = [m for m in by_kind.get("PodMonitor", []) if selects(m["spec"]["selector"]["matchLabels"], labels)]

    if spec["replicas"] != 1 or spec["strategy"] != {"type": "Recreate"}:
        yield "two at once would spend the venue's limits, or tell the same series, twice"
    if not selects(spec["selector"]["matchLabels"], labels):
        yield "does not select its own pods"
    if labels[LABEL] != f"{name}-exporter":
        yield f"{LABEL} is {labels[LABEL]}"
    if not re.fullmatch(rf"(.+/)?{name}-exporter:{version()}", container["image"]):
        yield f"image {container['image']}: not {name}-exporter of version {version()}"
    if port["containerPort"] != wanted_port or port["name"] != "metrics":
        yield f"port {port}: it is {wanted_port}"
    yield from restriction_faults(pod, container)
    for probe, path in [("startup", "/-/healthy"), ("liveness", "/-/healthy"), ("readiness", "/-/ready")]:
        if container[f"{probe}Probe"]["httpGet"] != {"path": path, "port": "metrics"}:
            yield f"{probe}Probe does not ask for {path}"
    yield from (f"unknown setting {setting}" for setting in environment.keys() - settings)

    if len(monitors) != 1:
        yield f"scraped by {len(monitors)} PodMonitors"
    if len(mine) != 1:
        yield f"{len(mine)} network policies of its own"
    if not any(p["metadata"]["name"] == "default-deny" and p["spec"] == CLOSED for p in by_kind["NetworkPolicy"]):
        yield "its namespace is open"


def bot_faults(deployment, by_kind):
    """The bot gateway: bots come to it, and it goes nowhere."""
    labels, pod, container, environment, port, mine = parts(deployment, by_kind)
    yield from exporter_faults(deployment, by_kind, "bot", project.bot_port(), project.bot_settings())
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for setting, kept in [("BOT_EVENTS_TOKEN_FILE", "secret"), ("BOT_STATE_FILE", "persistentVolumeClaim")]:
        folder = environment.get(setting, "").rpartition("/")[0]
        if not any(mounts.get(name) == folder and kept in volume for name, volume in volumes.items()):
            yield f"{setting} is in no {kept}"
    claims = [claim["metadata"]["name"] for claim in by_kind.get("PersistentVolumeClaim", [])]
    if [v["persistentVolumeClaim"]["claimName"] for v in volumes.values() if "persistentVolumeClaim" in v] != claims:
        yield f"its claims are not {claims}"
    if any("secret" in volume and volume["secret"]["defaultMode"] != 0o440 for volume in volumes.values()):
        yield "the token is readable by all"
    services = [s["spec"] for s in by_kind.get("Service", []) if selects(s["spec"]["selector"], labels)]
    if [p["port"] for service in services for p in service["ports"]] != [port["containerPort"]]:
        yield "bots find no service at its port"
    if len(mine) == 1:
        (rule,), egress = mine[0]["ingress"], mine[0].get("egress")
        if egress or [p["port"] for p in rule["ports"]] != [port["containerPort"]]:
            yield "the network policy opens more than the gateway's port"
        if any(not peer for peer in rule["from"]) or not all("matchLabels" in next(reversed(peer.values())) for peer in rule["from"]):
            yield "the network policy lets anybody in"


CLOSED = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def version():
    return re.search(r'^version = "(.*)"', project.read("Cargo.toml"), re.M).group(1)


def restriction_faults(pod, container):
    """By the restricted Pod Security Standard, and a little more."""
    wanted = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    if not wanted.items() <= pod["securityContext"].items() or pod.get("automountServiceAccountToken") is not False:
        yield "the pod may more than it needs"
    if container["securityContext"] != {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }:
        yield "the container may more than it needs"
    if not {"cpu", "memory"} <= container["resources"]["requests"].keys() or "memory" not in container["resources"]["limits"]:
        yield "no requests or no limit of memory"


def key_faults(venue, environment, container, pod):
    files = {name: value for name, value in environment.items() if name.endswith("_FILE") and "_API_" in name}
    if files and files.keys() != project.credentials(venue):
        yield f"a key of {sorted(files)}, not {sorted(project.credentials(venue))}"
    if len(set(files.values())) != len(files):
        yield "two parts of the key in one file"
    yield from (f"{name}: a secret in the open" for name in environment.keys() & {n[:-5] for n in project.credentials(venue)})
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    if mounts.keys() != volumes.keys():
        yield f"mounts {sorted(mounts)} of volumes {sorted(volumes)}"
    for name, path in files.items():
        if path.rpartition("/")[0] not in mounts.values():
            yield f"{name}={path}: nothing is mounted there"
    if any("secret" in volume and volume["secret"]["defaultMode"] != 0o440 for volume in volumes.values()):
        yield "the key is readable by all"


def policy_faults(policy, port, venue, testnet):
    if [p["port"] for rule in policy["ingress"] for p in rule["ports"]] != [port]:
        yield "the network policy opens other ports than the container's"
    if any(not rule.get("from") for rule in policy["ingress"]) or any(not rule.get("to") for rule in policy["egress"]):
        yield "the network policy is open to all"
    peers = policy["ingress"][0].get("from")
    if peers != [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]:
        yield f"scraped from {peers}"
    names, venues = policy["egress"]
    if names["to"][0].get("podSelector") != {"matchLabels": {"k8s-app": "kube-dns"}}:
        yield f"asks names of {names['to'][0]}"
    # 443 always: what USDT is worth is asked of other venues, too.
    allowed, needed = {p["port"] for p in venues["ports"]}, {443} | project.venue_ports(venue, testnet)
    if not (needed == allowed or testnet and needed < allowed):
        yield f"may reach ports {sorted(allowed)}, the venue is at {sorted(needed)}"


def monitor_faults(monitor, deployments):
    spec, (endpoint,) = monitor["spec"], monitor["spec"]["podMetricsEndpoints"]
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in deployments]
    pods = [labels for labels in pods if selects(spec["selector"]["matchLabels"], labels)]
    if len(pods) != 1:
        yield f"selects {len(pods)} deployments"
        return
    job = project.jobs()[pods[0][spec["jobLabel"]]]
    told = {"interval": job["scrape_interval"], "scrapeTimeout": job["scrape_timeout"], "honorLabels": True, "port": "metrics"}
    if not told.items() <= endpoint.items():
        yield f"not as the job in prometheus.yml: {told}"
    if seconds(endpoint["scrapeTimeout"]) > seconds(endpoint["interval"]) or spec["podTargetLabels"] != ["exchange"]:
        yield "without the label exchange, or with a timeout above the interval"


def rule_faults(objects):
    files = project.rule_files()
    told = {f"exchange-{path.parent.name}-{path.stem}": yaml.safe_load(path.read_text())["groups"] for path in files}
    made = {thing["metadata"]["name"]: thing["spec"]["groups"] for thing in objects}
    if told != made:
        differ = sorted(name for name in told.keys() | made.keys() if told.get(name) != made.get(name))
        yield f"rules differ from their files: {differ}"
    alerts = [rule for groups in made.values() for group in groups for rule in group["rules"] if "alert" in rule]
    pages = {rule["annotations"]["runbook_url"].rpartition("/user/")[2] for rule in alerts}
    if lost := sorted(pages - project.runbooks().keys()):
        yield f"docs/runbooks lacks {' '.join(lost)}"
