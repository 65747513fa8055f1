"""Selectors and queries."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import prometheus as builders
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

_EXCHANGE = 'exchange=~"$exchange"'
_TARGET = 'job=~"$job",instance=~"$instance",' + _EXCHANGE
_ACCOUNT = 'account=~"$account"'


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
