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
