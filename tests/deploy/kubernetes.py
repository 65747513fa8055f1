"""Builds every kustomization of deploy/kubernetes and checks what comes out; then breaks it in many ways, each of which must
be noticed. Arguments: none. Run by scripts/check-kubernetes."""

import copy
import pathlib
import shutil
import subprocess
import sys
import tempfile

import meaning
import project
import schemas
import yaml

HOME = project.ROOT / "deploy" / "kubernetes"


def build(folder):
    made = subprocess.run(["kustomize", "build", str(folder)], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"check-kubernetes: {folder}: {made.stderr.strip()}")
    if made.stderr.strip():
        sys.exit(f"check-kubernetes: {folder}: warns: {made.stderr.strip()}")
    return [thing for thing in yaml.safe_load_all(made.stdout) if thing]


def faults(things):
    by_schema = [f"{meaning.kind(thing)}: {fault}" for thing in things for fault in schemas.faults(thing)]
    # What is not even well-formed has no meaning to look at.
    return by_schema or list(meaning.faults(things))


def first(things, kind):
    return next(thing for thing in things if thing["kind"] == kind)


def container(things):
    return first(things, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def put(finder, path, value):
    """A mutation: `value` at `path` below what `finder` finds; None takes it away."""

    def mutate(things):
        place = finder(things)
        *way, last = path
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return f"{'.'.join(map(str, path))} = {value}", mutate


def of(kind):
    return lambda things: first(things, kind)


POLICY = lambda things: next(t for t in things if t["kind"] == "NetworkPolicy" and t["metadata"]["name"] != "default-deny")
POD = ["spec", "template", "spec"]
MUTATIONS = [
    # Unknown to the schemas.
    put(of("Deployment"), ["spec", "replica"], 1),
    put(of("Deployment"), [*POD, "securityContext", "runAsNoneRoot"], True),
    put(container, ["securityContext", "readOnlyRootFileSystem"], True),
    put(of("NetworkPolicy"), ["spec", "policyType"], ["Ingress"]),
    put(of("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "honourLabels"], True),
    put(of("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "interval"], "five seconds"),
    put(of("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "relabelings", 0, "action"], "drop-label"),
    put(of("PodMonitor"), ["spec", "selector"], None),
    put(of("PodMonitor"), ["apiVersion"], "monitoring.coreos.com/v9"),
    # Well-formed, and wrong.
    put(of("Deployment"), ["spec", "strategy"], {"type": "RollingUpdate"}),
    put(of("Deployment"), ["spec", "replicas"], 2),
    put(of("Deployment"), [*POD, "automountServiceAccountToken"], True),
    put(container, ["ports", 0, "containerPort"], 9999),
    put(container, ["image"], "okx-exporter:latest"),
    put(container, ["env", 0, "name"], "OKX_SYMBOL"),
    put(container, ["env", 0], {"name": "OKX_API_SECRET", "value": "s3cret"}),
    put(container, ["volumeMounts", 0, "mountPath"], "/run/secret"),
    put(container, ["securityContext", "capabilities"], {"drop": ["NET_RAW"]}),
    put(container, ["readinessProbe", "httpGet", "path"], "/ready"),
    put(POLICY, ["spec", "ingress", 0, "ports", 0, "port"], 9999),
    put(POLICY, ["spec", "ingress", 0, "from"], []),
    put(POLICY, ["spec", "egress", 1, "ports", 0, "port"], 80),
    put(POLICY, ["spec", "podSelector"], {"matchLabels": {"exchange": "bybit"}}),
    put(POLICY, ["spec", "egress", 0, "to", 0, "podSelector", "matchLabels", "exchange"], "okx"),
    put(of("PodMonitor"), ["spec", "selector", "matchLabels", "exchange"], "bybit"),
    put(of("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "interval"], "30s"),
    put(of("PodMonitor"), ["spec", "podTargetLabels"], []),
]


# The same for the bot gateway.
BOT_MUTATIONS = [
    put(container, ["ports", 0, "containerPort"], 8004),
    put(container, ["image"], "bot-exporter:latest"),
    put(container, ["env", 0, "name"], "BOT_TOKEN_FILE"),
    put(container, ["env", 1, "value"], "/state"),
    put(container, ["volumeMounts", 0, "mountPath"], "/run/secrets"),
    put(container, ["securityContext", "readOnlyRootFilesystem"], False),
    put(of("PersistentVolumeClaim"), ["metadata", "name"], "state"),
    put(of("Service"), ["spec", "ports", 0, "port"], 80),
    put(of("Service"), ["spec", "selector"], {"app.kubernetes.io/name": "okx-exporter"}),
    put(of("Deployment"), ["spec", "replicas"], 2),
    put(of("Deployment"), [*POD, "volumes", 0, "secret", "defaultMode"], 0o444),
    put(POLICY, ["spec", "egress"], [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
    put(POLICY, ["spec", "ingress", 0, "from", 1, "podSelector"], {}),
    put(POLICY, ["spec", "ingress", 0, "ports", 0, "port"], 80),
    put(of("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "interval"], "30s"),
]


def mutations(things):
    found = list(MUTATIONS)
    if project.rule_files():
        rule = ["spec", "groups", 0, "rules", 0]
        found += [
            put(of("PrometheusRule"), [*rule, "expression"], "1"),
            put(of("PrometheusRule"), [*rule, "expr"], None),
            put(of("PrometheusRule"), [*rule, "expr"], "vector(1)"),
        ]
    return found


def key_from_files(keys):
    """README.md's other way to a key: files that kustomize makes a Secret of. The pod must take the Secret under the name that
    it gets, which changes with its content."""
    shutil.copytree(HOME, keys, dirs_exist_ok=True)
    overlay = keys / "overlays" / "mine"
    (overlay / "keys").mkdir(parents=True)
    parts = ["api-key", "api-secret", "api-passphrase"]
    for part in parts:
        (overlay / "keys" / part).write_text("not a key")
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "exchange-exporters",
        "resources": ["../../venues/okx"],
        "components": ["../../accounts/okx"],
        "secretGenerator": [{"name": "okx-exporter-key", "files": [f"keys/{part}" for part in parts]}],
    }))
    things = build(overlay)
    (volume,) = first(things, "Deployment")["spec"]["template"]["spec"]["volumes"]
    secret = first(things, "Secret")
    assert volume["secret"]["secretName"] == secret["metadata"]["name"] != "okx-exporter-key", volume
    paths = {entry["value"].rpartition("/")[2] for entry in container(things)["env"]}
    assert paths == secret["data"].keys(), (paths, secret["data"].keys())


def main():
    said = []
    whole = [HOME / "overlays" / name for name in ("all", "bots", "one-venue", "testnet", "two-accounts")] + [HOME / "prometheus"]
    built = {folder: build(folder) for folder in whole}
    forgotten = [f for f in (HOME / "overlays").iterdir() if f not in built]
    said += [f"{folder.name}: an overlay that nothing checks" for folder in forgotten]
    for folder, things in built.items():
        said += [f"{folder.name}: {fault}" for fault in faults(things)]
    # The venues' own folders are parts of overlays; with its account each must be whole as well.
    for venue in project.ports():
        with tempfile.TemporaryDirectory() as copied:
            copied = pathlib.Path(copied)
            shutil.copytree(HOME, copied, dirs_exist_ok=True)
            text = (
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
                f"resources: [../../namespace, ../../venues/{venue}]\ncomponents: [../../accounts/{venue}]\n"
            )
            (copied / "overlays" / "account").mkdir()
            (copied / "overlays" / "account" / "kustomization.yaml").write_text(text)
            things = build(copied / "overlays" / "account")
            said += [f"{venue} with account: {fault}" for fault in faults(things)]
            if len(container(things).get("env", [])) != len(project.credentials(venue)):
                said.append(f"{venue} with account: no key")
    with tempfile.TemporaryDirectory() as keys:
        key_from_files(pathlib.Path(keys))
    if said:
        print("\n".join(said), file=sys.stderr)
        sys.exit(f"check-kubernetes: {len(said)} faults")

    sound = built[HOME / "overlays" / "one-venue"]
    tried = [(sound, *one) for one in mutations(sound)]
    tried += [(built[HOME / "overlays" / "bots"], *one) for one in BOT_MUTATIONS]
    for sound, name, mutate in tried:
        broken = copy.deepcopy(sound)
        mutate(broken)
        if not faults(broken):
            sys.exit(f"check-kubernetes: goes unnoticed: {name}")
    count = sum(map(len, built.values()))
    print(f"check-kubernetes: {count} objects of {len(built)} builds are sound; {len(tried)} of {len(tried)} faults put in were noticed")


main()
