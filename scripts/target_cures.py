"""What Prometheus says of a target that it cannot scrape, told as a likely cause and a cure."""

import re

COMPOSE = "docker compose -f docker-compose-observability.yml"
VENUES = ("binance", "kucoin", "bybit", "coinbase", "okx")
# What the compose file runs only if asked to, by job.
PROFILES = {f"{venue}-exporter": venue for venue in VENUES}
PROFILES.update({f"{name}-exporter": name for name in ("mongodb", "redis", "blackbox")})
PROFILES["bot-exporter"] = "bots"

# The first pattern that is found decides. {address}, {host} and {job} are filled in.
CURES = (
    (
        r"no such host|server misbehaving|name resolution|lookup .* i/o timeout",
        "no such host: {host} has no address where Prometheus runs",
        "In the compose file a service's name is its address (`okx-exporter:8004`); elsewhere write a name or an IP that the "
        "machine of Prometheus can resolve. From a container the machine itself is host.docker.internal.",
    ),
    (
        r"connection refused",
        "connection refused: {host} is there, but nothing listens on that port",
        "Start the program, or correct the port. It must not listen on 127.0.0.1 only, if Prometheus is on another machine or in "
        "another container; and localhost, to a Prometheus in a container, is that container.",
    ),
    (
        r"no route to host|network is unreachable|host is down",
        "{host} cannot be reached",
        "Is the machine up, and do network and firewall let Prometheus there?",
    ),
    (
        r"context deadline exceeded|i/o timeout|Client\.Timeout",
        "no answer in time",
        "A firewall that drops packets, a hung program, or a scrape that takes longer than the job's scrape_timeout. Try from the machine "
        "of Prometheus: `curl -m 5 -o /dev/null -w '%{{time_total}}\\n' {url}`.",
    ),
    (
        r"HTTP status 401|HTTP status 403",
        "it refuses Prometheus: it wants a password or a token",
        "Give the job `basic_auth` or `authorization` with a password_file or credentials_file in prometheus/prometheus.yml "
        "(for the exporters: the user of X_WEB_CONFIG_FILE), then reload Prometheus.",
    ),
    (
        r"HTTP status 404",
        "something listens there, but it has no such page",
        "Is it the right port? If its metrics are at another path, add the target with LABELS=__metrics_path__=/that/path.",
    ),
    (
        r"HTTP status 429",
        "it is asked too often",
        "Raise the rate_limit in its web configuration, or see who else scrapes it.",
    ),
    (
        r"HTTP status 503",
        "it says that it is not available now",
        "It starts, or it is overloaded, or a proxy before it has nothing behind. Look at its log: `%s logs {service}`." % COMPOSE,
    ),
    (
        r"HTTP status 400|malformed HTTP response",
        "it does not understand the request: most likely it wants https",
        "Add the target with LABELS=__scheme__=https.",
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "it speaks http, and Prometheus is told to use https",
        "Take `__scheme__: https` out of its target file, or give the program a certificate.",
    ),
    (
        r"x509|tls:|certificate",
        "its certificate is not trusted, or not for this name",
        "Give the job a `tls_config` with the ca_file that signed it, and a server_name that is in the certificate, in "
        "prometheus/prometheus.yml; or renew what has expired.",
    ),
    (
        r"HTTP status (\d+)",
        "it answers with an error",
        "Look at its log, and open {url} in a browser.",
    ),
    (
        r"Content-Type|content type|start token|INVALID|while parsing|parse|expected .* got|unsupported character",
        "what it answers are no metrics",
        "Is it the right port and path? Open {url} : Prometheus must find lines such as `name 1` there, as text/plain.",
    ),
    (
        r"EOF|reset by peer|broken pipe",
        "it hung up in the middle",
        "It crashed or was restarted, or it is no web server, or it wants https (LABELS=__scheme__=https). Look at its log.",
    ),
    (
        r"limit exceeded|exceeds.*limit",
        "it tells more than Prometheus accepts",
        "Raise the job's sample_limit or body_size_limit, or let it tell less.",
    ),
)
UNREACHABLE = re.compile(r"no such host|server misbehaving|connection refused|no route to host|context deadline exceeded|i/o timeout")


def cure(error, job, address, url):
    """Likely cause, and what to do about it."""
    host = re.sub(r":\d+$", "", address)
    names = {"address": address, "host": host, "job": job, "url": url, "service": job}
    for pattern, cause, remedy in CURES:
        if re.search(pattern, error):
            cause, remedy = cause.format(**names), remedy.format(**names)
            break
    else:
        cause, remedy = "unknown", f"Open {url} from the machine of Prometheus, and look at the program's log."
    if job in PROFILES and UNREACHABLE.search(error):
        profile = PROFILES[job]
        remedy = (
            f"If {job} is not run: start it (`{COMPOSE} --profile {profile} up -d`), or take the target out "
            f"(`make remove-target JOB={job} TARGET={address}`). If it is: {remedy[0].lower()}{remedy[1:]}"
        )
    return cause, remedy


CONFIG_ERRORS = {
    "missing_credentials": "Part of the key is missing: set API_KEY, API_SECRET and, where the venue has one, API_PASSPHRASE.",
    "invalid_credentials": "The venue does not accept the key. `{venue}-exporter check` says why; then correct or renew it.",
    "unknown_symbol": "The venue has no such symbol. `{venue}-exporter check` names the nearest that it has.",
}

# What ails a target that can be scraped: a query whose every sample is one ailment, what it is, and the cure.
AILMENTS = (
    (
        'exchange_connection_status{stream="public"} == 0',
        "the public stream is not live: no prices",
        "See {url} and `{venue}-exporter check`; does the venue work, and may this machine reach it?",
    ),
    (
        'exchange_connection_status{stream="private"} == 0',
        "the private stream is not live: the account is told by REST only, so late",
        "See `{venue}-exporter check`.",
    ),
    ("exchange_config_error == 1", "the configuration is wrong: {reason}", "{config_cure}"),
    (
        "exchange_system_status == 0",
        "the venue says that it is not up",
        "Wait, and see the venue's status page.",
    ),
    (
        'sum by (job, instance, exchange, kind) (increase(exchange_errors_total{kind=~"auth|permission"}[15m])) > 0',
        "the venue refuses the key ({kind} errors in the last 15 minutes)",
        "`{venue}-exporter check` says what the key lacks: validity, a right, or this machine's IP.",
    ),
    (
        "exchange_rate_limit_reset_timestamp_seconds > time()",
        "the venue limits or bans this address until {until} ({limit})",
        "Wait; then lower X_RATE_LIMIT_SHARE here or what other programs of this address ask.",
    ),
    (
        'up{exchange!="",job=~".+-exporter"} == 1 unless on (job, instance) exchange_exporter_build_info',
        "it answers, but it is no exporter of this suite",
        "Correct the address: make remove-target, make add-target.",
    ),
    ("probe_success == 0", "the probe of this URL fails", "Open it yourself; the blackbox exporter's page tells the last probes in detail."),
    ("mongodb_up == 0", "its exporter runs, but MongoDB does not answer it", "See MONGODB_URI and MongoDB itself."),
    ("redis_up == 0", "its exporter runs, but Redis does not answer it", "See REDIS_ADDR and Redis itself."),
)
