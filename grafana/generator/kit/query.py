"""Selectors and queries."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import prometheus as builders
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

_EXCHANGE = 'exchange=~"$exchange"'
_TARGET = 'job=~"$job",instance=~"$instance",' + _EXCHANGE
_ACCOUNT = 'account=~"$account"'

# What bots post to the gateway, and what they serve themselves. Others have names such as http_requests_total, too.
BOT_JOBS = 'job=~"bot-exporter|bots"'
# Where no bot is named the series lack the label, which `.*` matches too.
_BOT = 'bot=~"$bot"'


def _select(name: str, matchers: tuple[str, ...], equal: dict[str, str]) -> str:
    exact = [f'{label}="{value}"' for label, value in equal.items()]
    return f"{name}{{{','.join([*matchers, *exact])}}}"


def raw(name: str, *matchers: str, **equal: str) -> str:
    """A series as an exporter serves it: chosen by target and venue, and by what else is given."""
    return _select(name, (_TARGET, *matchers), equal)


def account(name: str, *matchers: str, **equal: str) -> str:
    """The same of an account. Where no account is named the series lack the label, which `.*` matches too."""
    return _select(name, (_TARGET, _ACCOUNT, *matchers), equal)


def recorded(name: str, *matchers: str, of_account: bool = False, **equal: str) -> str:
    """A recorded series: the rules drop the target's labels."""
    chosen = (_EXCHANGE, _ACCOUNT) if of_account else (_EXCHANGE,)
    return _select(name, (*chosen, *matchers), equal)


def said(name: str, *matchers: str, **equal: str) -> str:
    """A series as bots tell it."""
    return _select(name, (BOT_JOBS, _BOT, *matchers), equal)


def of_bot(name: str, *matchers: str, **equal: str) -> str:
    """What rules record of bots."""
    return _select(name, (_BOT, *matchers), equal)


def _by(*labels: str) -> str:
    return f"by ({', '.join(('bot', *labels))})"


def latest(name: str, *labels: str, only: tuple[str, ...] = ()) -> str:
    """A gauge of bots, once, however many targets tell it."""
    return f"max {_by(*labels)} ({said(name, *only)})"


def pace(name: str, *labels: str, window: str = "$__rate_interval", only: tuple[str, ...] = ()) -> str:
    """A counter of bots, a second."""
    return f"sum {_by(*labels)} (rate({said(name, *only)}[{window}]))"


def rise(name: str, *labels: str, window: str = "$__rate_interval", only: tuple[str, ...] = ()) -> str:
    """By how much a counter of bots rose."""
    return f"sum {_by(*labels)} (increase({said(name, *only)}[{window}]))"


def happened(name: str, *labels: str, window: str = "$__range", only: tuple[str, ...] = ()) -> str:
    """The same of what happens rarely: a counter that began within the window has risen from nothing, which `increase` overlooks."""
    one = said(name, *only)
    return f"sum {_by(*labels)} (({one} unless {one} offset {window}) or increase({one}[{window}]))"


def quantile(share: float, name: str, *labels: str, window: str = "5m", only: tuple[str, ...] = ()) -> str:
    """Of a histogram of bots: what that share of it is below."""
    return f"histogram_quantile({share}, sum {_by(*labels, 'le')} (rate({said(f'{name}_bucket', *only)}[{window}])))"


# What tells the series of one account apart, for what several exporters of an account repeat and nobody may add up.
_LABELS = {
    "exchange_equity": "currency",
    "exchange_equity_venue_reported": "part, currency",
    "exchange_asset_value_usdt": "asset",
    "exchange_balance": "asset, wallet, state",
    "exchange_unpriced_balance": "asset",
    "exchange_open_orders": "market",
    "exchange_open_positions": "market",
    "exchange_position_unrealized_pnl_usdt": "market, symbol, side",
    "exchange_api_key_permission": "permission",
    "exchange_orders_total": "market, symbol, status",
    "exchange_fills_total": "market, symbol, side, role",
    "exchange_fill_volume_quote_total": "market, symbol, side, role",
    "exchange_fees_paid_total": "asset",
    "exchange_fee_rebates_total": "asset",
}


def _once(name: str, inner: str) -> str:
    labels = _LABELS.get(name)
    return f"max by (exchange, account{', ' + labels if labels else ''}) ({inner})"


def told(name: str, *matchers: str, **equal: str) -> str:
    """What is said of an account, once, however many exporters say it."""
    return _once(name, account(name, *matchers, **equal))


def moved(function: str, name: str, window: str, *matchers: str, **equal: str) -> str:
    """The same of a counter: `rate` or `increase` over the window."""
    return _once(name, f"{function}({account(name, *matchers, **equal)}[{window}])")


def of_symbol(name: str, *matchers: str, **equal: str) -> str:
    """What is said of a venue's symbol, once, however many exporters that venue has."""
    return f"max by (exchange, market, symbol) ({raw(name, *matchers, **equal)})"


@dataclass(frozen=True)
class Q:
    """One query of a panel: over the time range, or of this moment."""

    expr: str
    legend: str = ""
    instant: bool = False
    as_table: bool = False
    heat: bool = False

    def build(self, ref: str) -> builders.Dataquery:
        query = builders.Dataquery().ref_id(ref).expr(self.expr).datasource(DATASOURCE)
        # Grafana's own default, "Auto", would show the whole list of labels.
        query.legend_format(self.legend or "__auto")
        if self.as_table:
            query.format(PromQueryFormat.TABLE)
        elif self.heat:
            query.format(PromQueryFormat.HEATMAP)
        else:
            query.format(PromQueryFormat.TIME_SERIES)
        return query.instant() if self.instant or self.as_table else query.range()


def reference(index: int) -> str:
    """A, B, C, as Grafana counts queries."""
    return chr(ord("A") + index)
