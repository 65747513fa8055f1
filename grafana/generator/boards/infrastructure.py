"""Hosts, containers, databases, Prometheus itself, and what the exporters cost."""

from kit import Board, Column, Q, bars, gauge, raw, series, stat, states, table
from kit import limits

from . import shared

HOST = 'instance=~"$host"'
DISK = HOST + ',fstype!~"tmpfs|overlay|squashfs|erofs|iso9660|udf|ramfs|devtmpfs|nsfs|autofs|fuse.*|proc|sysfs|cgroup.*"'
DRIVE = HOST + ',device!~"(dm-|md|loop|ram|zram|sr|fd).*"'
NET = HOST + ',device!~"(lo|veth|docker|br-|virbr|cali|cni|flannel|tap|tun).*"'
CONTAINER = 'name!=""'


def board() -> Board:
    b = Board(
        "exchange-infrastructure", "Hosts, containers, databases, Prometheus itself, and the exporters' own cost.",
        names=["job", "instance", "exchange", "host"], since="now-6h", refresh="30s",
    )
    _targets(b)
    _exporters(b)
    _hosts(b)
    _containers(b)
    _databases(b)
    _prometheus(b)
    return b


def _targets(b: Board) -> None:
    b.row("Targets")
    b.add(
        table("Targets", "Everything that Prometheus scrapes, whatever is chosen above. `make targets` says why one is down.",
              ["job", "instance"], Column("state", "max by (job, instance) (up)", states=shared.UP_DOWN),
              Column("scrape", "max by (job, instance) (scrape_duration_seconds)", "s", decimals=3),
              Column("samples", "max by (job, instance) (scrape_samples_scraped)", "short"),
              width=12, sort="state", descending=False),
        states("Targets over time", "Whether each answered.", Q("up", "{{job}} {{instance}}"), words=shared.UP_DOWN, width=12),
    )


def _exporters(b: Board) -> None:
    b.row("What the exporters cost")
    b.add(
        series("Exporters' CPU", "Of one core.", Q(f"sum by (job, instance) (rate({raw('process_cpu_seconds_total')}[$__rate_interval]))",
                                        "{{job}} {{instance}}"), unit="percentunit", width=6, minimum=0),
        series("Exporters' memory", "Resident.", Q(raw("process_resident_memory_bytes"), "{{job}} {{instance}}"), unit="bytes", width=6,
               minimum=0),
        series("Open files", "Sockets count, too.", Q(raw("process_open_fds"), "{{job}} {{instance}}"), unit="none", width=6,
               minimum=0),
        series("Samples in a scrape", "How many series each one brings.", Q(raw("scrape_samples_scraped"),
                                                                            "{{job}} {{instance}}"), unit="short", width=6,
               minimum=0),
    )


def _hosts(b: Board) -> None:
    free = f"node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}}"
    b.row("Hosts")
    b.add(
        series("CPU busy", "The alert HostCpuHigh begins at 90 %.",
               Q("1 - avg by (instance) (sum by (instance, cpu) "
                 f'(rate(node_cpu_seconds_total{{{HOST},mode=~"idle|iowait"}}[$__rate_interval])))', "{{instance}}"), unit="percentunit", width=6, limit=limits.CPU, minimum=0, maximum=1),
        series("Memory left", "What the kernel could still give. The alert HostMemoryLow begins below 10 %.",
               Q(f"node_memory_MemAvailable_bytes{{{HOST}}} / node_memory_MemTotal_bytes{{{HOST}}}", "{{instance}}"),
               unit="percentunit", width=6, limit=limits.MEMORY_FREE, minimum=0, maximum=1),
        gauge("Disk left", "Alerts begin below 15 % and 5 %.", Q(free, "{{instance}} {{mountpoint}}"), unit="percentunit",
              width=6, limit=limits.DISK_FREE),
        series("Disk left over time", "The alert HostDiskFillsSoon looks a day ahead.", Q(free, "{{instance}} {{mountpoint}}"),
               unit="percentunit", width=6, limit=limits.DISK_FREE, minimum=0, maximum=1),
        series("Disk busy", "Share of the time in which the device had work. The alert HostDiskIoHigh begins at 90 %.",
               Q(f"rate(node_disk_io_time_seconds_total{{{DRIVE}}}[$__rate_interval])", "{{instance}} {{device}}"),
               unit="percentunit", width=6, limit=limits.DISK_BUSY, minimum=0),
        series("Network", "Received, and sent.",
               Q(f"sum by (instance, device) (rate(node_network_receive_bytes_total{{{NET}}}[$__rate_interval]))",
                 "{{instance}} {{device}} in"),
               Q(f"sum by (instance, device) (rate(node_network_transmit_bytes_total{{{NET}}}[$__rate_interval]))",
                 "{{instance}} {{device}} out"), unit="Bps", width=6, minimum=0),
        series("Network errors", "Any is worth a look: HostNetworkErrors.",
               Q(f"sum by (instance, device) (rate(node_network_receive_errs_total{{{NET}}}[$__rate_interval]) + "
                 f"rate(node_network_transmit_errs_total{{{NET}}}[$__rate_interval]))", "{{instance}} {{device}}"),
               unit="pps", width=6, minimum=0),
        series("Load", "Processes that want to run, one minute's mean.", Q(f"node_load1{{{HOST}}}", "{{instance}}"),
               unit="none", width=6, minimum=0),
    )


def _containers(b: Board) -> None:
    b.row("Containers")
    b.add(
        series("Containers' CPU", "Of one core.", Q(f"sum by (name) (rate(container_cpu_usage_seconds_total{{{CONTAINER}}}"
                                        "[$__rate_interval]))", "{{name}}"), unit="percentunit", width=6, minimum=0),
        series("Containers' memory", "Working set: what the kernel cannot take back.",
               Q(f"max by (name) (container_memory_working_set_bytes{{{CONTAINER}}})", "{{name}}"), unit="bytes", width=6,
               minimum=0),
        gauge("Memory against the limit", "The alert ContainerMemoryNearLimit begins at 90 %. Containers without a limit are not "
              "here.", Q(f"max by (name) (container_memory_working_set_bytes{{{CONTAINER}}}) / "
                         f"(max by (name) (container_spec_memory_limit_bytes{{{CONTAINER}}}) > 0)", "{{name}}"),
              unit="percentunit", width=6, limit=limits.NEAR_LIMIT),
        bars("Restarts", "In the chosen time range.",
             Q(f"sum by (name) (changes(container_start_time_seconds{{{CONTAINER}}}[$__range]))", "{{name}}"), unit="none",
             decimals=0, width=6, limit=limits.ANY_IS_WARNING),
    )


def _databases(b: Board) -> None:
    b.row("Databases")
    b.add(
        stat("MongoDB", "Whether the exporter reaches it.", Q("min by (instance) (mongodb_up)", "{{instance}}"), unit="none",
             width=4, height=8, states=shared.UP_DOWN, named=True, background=True, nothing="none watched"),
        series("MongoDB connections", "In use, and still free.",
               Q('sum by (instance, conn_type) (mongodb_ss_connections{conn_type=~"current|available"})',
                 "{{instance}} {{conn_type}}"), unit="none", width=8, minimum=0),
        stat("Redis", "Whether the exporter reaches it.", Q("min by (instance) (redis_up)", "{{instance}}"), unit="none",
             width=4, height=8, states=shared.UP_DOWN, named=True, background=True, nothing="none watched"),
        series("Redis memory", "Used, and the most that is allowed; none is 0.",
               Q("redis_memory_used_bytes", "{{instance}} used"), Q("redis_memory_max_bytes > 0", "{{instance}} allowed"),
               unit="bytes", width=4, minimum=0),
        series("Redis clients", "Connected.", Q("redis_connected_clients", "{{instance}}"), unit="none", width=4, minimum=0),
    )


def _prometheus(b: Board) -> None:
    b.row("Prometheus and Alertmanager")
    b.add(
        stat("Configuration loaded", "Whether the last reload was good. If not, what runs is older than what is on disk.",
             Q("min by (instance) (prometheus_config_last_reload_successful)", "Prometheus {{instance}}"),
             Q("min by (instance) (alertmanager_config_last_reload_successful)", "Alertmanager {{instance}}"), unit="none",
             width=6, height=8, states=shared.YES_NO_GOOD, named=True),
        series("Series in memory", "Its memory grows with them.", Q("prometheus_tsdb_head_series", "{{instance}}"),
               unit="short", width=6, minimum=0),
        series("Samples a second", "What comes in.",
               Q("rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval])", "{{instance}}"), unit="ops", width=6,
               minimum=0),
        series("Rule groups", "How much of its interval each takes: at 1 it is late.",
               Q("prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds", "{{rule_group}}"),
               unit="percentunit", width=6, minimum=0, limit=limits.above(warning=0.8)),
        series("Rules that fail", "Any is an alert: PrometheusRuleFailures.",
               Q("sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))",
                 "{{rule_group}}"), unit="short", width=6, bars_of=True, minimum=0),
        series("Compactions that fail", "Any is an alert: PrometheusTsdbCompactionsFailing.",
               Q("increase(prometheus_tsdb_compactions_failed_total[$__rate_interval])", "{{instance}}"), unit="short",
               width=6, bars_of=True, minimum=0),
        series("Disk used by Prometheus", "Blocks and the log of what is not in one yet.",
               Q("prometheus_tsdb_storage_blocks_bytes", "{{instance}} blocks"),
               Q("prometheus_tsdb_wal_storage_size_bytes", "{{instance}} log"), unit="bytes", width=6, minimum=0),
        states("Probes", "What the blackbox exporter reaches.", Q("probe_success", "{{instance}}"), words=shared.UP_DOWN, width=6),
    )
