"""What the keys may do, what is configured wrongly, and what happened when."""

from kit import Board, Column, Q, account, history, raw, series, stat, states, table, told
from kit import limits, links

from . import shared

NAME = "{{exchange}} {{account}}"


def board() -> Board:
    b = Board(
        "exchange-keys-audit", "Keys: what they may do, from where, until when; errors of configuration; when what happened.",
        names=["job", "instance", "exchange", "account"], since="now-7d", refresh="1m",
    )
    key = "max by (exchange, account)"
    permission = lambda name: told("exchange_api_key_permission", permission=name)  # noqa: E731
    b.row("Keys")
    b.add(
        stat("Keys that may withdraw", "A monitoring key should read and no more. Any is an alert at once: "
             "ExchangeKeyCanWithdraw.", Q(f"sum({permission('withdraw')})"), unit="none", width=6,
             limit=limits.ANY_IS_CRITICAL, background=True),
        stat("Keys that may trade", "Binance calls reading futures a trading right; elsewhere none should.",
             Q(f"sum({permission('trade')})"), unit="none", width=6, limit=limits.ANY_IS_WARNING),
        stat("Keys not bound to addresses", "They work from anywhere.",
             Q(f"count({told('exchange_api_key_ip_restricted')} == 0) or "
               f"count({told('exchange_api_key_ip_restricted')}) * 0"), unit="none", width=6,
             limit=limits.ANY_IS_WARNING),
        stat("Next expiry", "Alerts begin 14 and 3 days before. Unknown where no key expires.",
             Q(f"min({account('exchange_api_key_expiry_timestamp_seconds')}) - time()"), unit="s", decimals=0, width=6,
             limit=limits.KEY_EXPIRY, background=True, nothing="none is told"),
        table("Rights", "What each key may do, by the venue's word. Empty is where the venue does not say.",
              ["exchange", "account"],
              Column("read", f"{key} ({permission('read')})", states=shared.YES_NO_GOOD),
              Column("trade", f"{key} ({permission('trade')})", states={0: ("no", shared.OK), 1: ("yes", shared.WORRY)}),
              Column("withdraw", f"{key} ({permission('withdraw')})", states=shared.YES_NO_BAD),
              Column("transfer", f"{key} ({permission('transfer')})", states=shared.YES_NO_BAD),
              Column("bound to addresses", f"min by (exchange, account) ({told('exchange_api_key_ip_restricted')})",
                     states={0: ("no", shared.WORRY), 1: ("yes", shared.OK)}),
              Column("expires in", f"min by (exchange, account) ({account('exchange_api_key_expiry_timestamp_seconds')}) - time()",
                     "s", limits.KEY_EXPIRY, 0),
              width=16, sort="exchange", descending=False, link={"exchange": [links.venue]}),
        table("Errors of configuration", "What the exporter says is wrong with how it was started.", ["exchange", "reason"],
              Column("so now", f"max by (exchange, reason) ({raw('exchange_config_error')})", states=shared.YES_NO_BAD),
              width=8, sort="so now", link={"exchange": [links.venue]}),
    )
    _refused(b)
    _timeline(b)
    return b


def _refused(b: Board) -> None:
    b.row("Refused")
    b.add(
        series("Refusals", "Errors of authentication, of permission and of the clock.",
               Q("sum by (exchange, kind) (increase("
                 + raw("exchange_errors_total", 'kind=~"auth|permission|clock_skew"') + "[$__rate_interval])) > 0",
                 "{{exchange}} {{kind}}"), unit="short", width=8, bars_of=True, nothing=shared.NONE_TOLD, minimum=0, link=links.health),
        states("Private streams", "Whether the account's events come.",
               Q(f"min by (exchange) ({raw('exchange_connection_status', stream='private')})", "{{exchange}}"),
               words=shared.UP_DOWN, width=8, link=links.health),
        series("Age of the account", "Since the last complete refresh. The alert ExchangeAccountStale begins at 5 min.",
               Q(f"time() - min by (exchange, account) ({account('exchange_account_last_success_timestamp_seconds')})", NAME),
               unit="s", width=8, limit=limits.ACCOUNT_AGE, minimum=0, link=links.venue),
    )


def _timeline(b: Board) -> None:
    chosen = f'alertstate="firing",scope!="bot",{shared.NOT_WATCHDOG},{shared.OF_VENUE}'
    b.row("What happened when")
    b.add(
        history("Alerts", "A lane for each alert and venue, coloured while it fired.",
                Q(f"max by (alertname, exchange) (ALERTS{{{chosen}}})", "{{alertname}} {{exchange}}"), word="fired",
                color="red", width=24, height=10),
        states("Exporters", "Whether they answered Prometheus.", Q(raw("up"), "{{exchange}} {{instance}}"),
               words=shared.UP_DOWN, width=12, link=links.venue),
        table("What runs", "Version, and since when. Restarts are in the chosen time range.",
              ["exchange", "instance", "version", "revision"],
              Column("started", "1000 * max by (exchange, instance, version, revision) ("
                     f"{raw('process_start_time_seconds')} * on (job, instance) group_left (version, revision) "
                     f"{raw('exchange_exporter_build_info')})", "dateTimeAsIso"),
              Column("restarts", "max by (exchange, instance, version, revision) ("
                     f"changes({raw('process_start_time_seconds')}[$__range]) * on (job, instance) "
                     f"group_left (version, revision) {raw('exchange_exporter_build_info')})", "none",
                     limits.ANY_IS_WARNING, 0),
              width=12, sort="exchange", descending=False, link={"exchange": [links.venue]}),
    )
