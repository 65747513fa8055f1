"""One module a dashboard; each has a function `board`."""

from . import (
    alerts, bots, infrastructure, keys_audit, markets, operations, overview, symbol, treasury, venue, venue_health, wallet,
)

ALL = (
    overview, alerts, venue_health, venue, markets, symbol, treasury, wallet, operations, keys_audit, infrastructure, *bots.ALL,
)
