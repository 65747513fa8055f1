//! The cases, as lanes: one after the other at each venue, and all venues at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fake_venues::account::{Category, Side};
use fake_venues::{Broken, Fault, Fixed, Garbage, Limited, Venue};

use crate::bot_cases::bots;
use crate::play::{Case, Place};
use crate::stage::Stage;

const DAY: u64 = 86_400_000;

/// A case that leads to these alerts.
const fn alerts(
    fault: &'static str,
    venue: Venue,
    fires: &'static [&'static str],
    inflict: fn(&Stage),
    recover: fn(&Stage),
) -> Case {
    Case { fault, place: Place::Venue(venue), inflict, recover, fires, may: &[], kept: &[], shows: None }
}

/// A case that leads to none, and shows in this expression.
const fn nothing(fault: &'static str, venue: Venue, inflict: fn(&Stage), shows: &'static str, watch: u64) -> Case {
    let shows = Some((shows, Duration::from_secs(watch)));
    Case { fault, place: Place::Venue(venue), inflict, recover: |_| (), fires: &[], may: &[], kept: &[], shows }
}

impl Case {
    pub const fn may(self, may: &'static [&'static str]) -> Self {
        Self { may, ..self }
    }

    pub const fn ends(self, recover: fn(&Stage)) -> Self {
        Self { recover, ..self }
    }

    pub const fn keeps(self, kept: &'static [&'static str]) -> Self {
        Self { kept, ..self }
    }
}

/// What lasts at a venue until it is cleared.
fn begin(stage: &Stage, venue: Venue, fault: Fault) {
    stage.fake(venue).inflict(fault);
}

/// Not for all: something else may be going on there.
fn end(stage: &Stage, venue: Venue, fault: Fault) {
    stage.fake(venue).clear_one(&fault);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn units(text: &str) -> Fixed {
    text.parse().unwrap()
}

/// A tether that costs less: everything else costs more of it, everywhere.
fn depeg(stage: &Stage, ratio: &str) {
    for fake in &stage.fakes {
        let listings = fake.market();
        for listing in listings.listings() {
            let quote = &listing.quote;
            match (quote.base.as_str(), quote.quote.as_str()) {
                ("USDT", _) => fake.tilt(Some(&quote.symbol), units(ratio)),
                (_, "USDT") => fake.tilt(Some(&quote.symbol), Fixed::ONE.over(units(ratio))),
                _ => {}
            }
        }
        // All of them trade now, not one after the other.
        (0..200).for_each(|_| fake.advance());
    }
}

/// Before the lanes: what is about all venues.
pub fn first() -> Vec<Case> {
    vec![Case {
        fault: "USDT costs 0.98 dollars on all venues",
        place: Place::All,
        inflict: |stage| depeg(stage, "0.98"),
        recover: |stage| depeg(stage, "1.020408163265"),
        fires: &["ExchangeStablecoinDepegged"],
        may: &[],
        kept: &[],
        shows: None,
    }]
}

/// Venue by venue, and the bots, all at once. At a venue: what follows on each other; in that, what goes on side by side, because its alerts are
/// others; in that, one case after the other.
pub fn venues() -> Vec<Vec<Vec<Vec<Case>>>> {
    vec![binance(), kucoin(), bybit(), coinbase(), okx(), bots()]
}

fn binance() -> Vec<Vec<Vec<Case>>> {
    const V: Venue = Venue::Binance;
    vec![vec![vec![
        nothing(
            "The venue announces that it will close the connection",
            V,
            |stage| stage.fake(V).inflict(Fault::Shutdown { ms: Some(4_000) }),
            "sum(exchange_websocket_reconnects_total{exchange=\"binance\",reason=\"notice\"})",
            6,
        ),
        alerts(
            "Others use up the limit of requests",
            V,
            &["ExchangeRateLimitHeadroomLow"],
            |stage| begin(stage, V, Fault::Crowded { percent: 85 }),
            |stage| end(stage, V, Fault::Crowded { percent: 85 }),
        )
        // The exporter asks nothing until the next minute, which is long in fast motion and short in truth.
        .may(&["ExchangeAccountStale", "ExchangePrivateStreamDown"]),
        alerts(
            "Banned for two minutes",
            V,
            &["ExchangeRateLimited", "ExchangeAccountStale"],
            |stage| stage.fake(V).inflict_next(Fault::RestLimited { how: Limited::Banned }),
            |_| (),
        ),
    ]]]
}

fn kucoin() -> Vec<Vec<Vec<Case>>> {
    const V: Venue = Venue::Kucoin;
    vec![vec![vec![
        nothing(
            "Silence for a second",
            V,
            |stage| {
                begin(stage, V, Fault::Silent);
                std::thread::sleep(Duration::from_secs(1));
                end(stage, V, Fault::Silent);
            },
            "exchange_connection_status{exchange=\"kucoin\",stream=\"public\"}",
            8,
        ),
        nothing(
            "A connection is cut once",
            V,
            |stage| stage.fake(V).inflict(Fault::Drop),
            "sum(exchange_websocket_reconnects_total{exchange=\"kucoin\",stream=\"public\",reason=\"network\"})",
            8,
        ),
        alerts(
            "Silence: sockets live, no data comes",
            V,
            &["ExchangePublicStreamDown"],
            |stage| begin(stage, V, Fault::Silent),
            |stage| end(stage, V, Fault::Silent),
        )
        .may(&["ExchangePublicStreamUnstable"]),
        alerts(
            "Connections are cut, and new ones refused",
            V,
            &["ExchangePublicStreamDown", "ExchangePrivateStreamDown"],
            |stage| {
                begin(stage, V, Fault::RefuseDial);
                begin(stage, V, Fault::Drop);
            },
            |stage| end(stage, V, Fault::RefuseDial),
        )
        .may(&["ExchangePublicStreamUnstable"]),
        alerts(
            "Every request fails",
            V,
            &["ExchangeErrorRatioHigh", "ExchangeAccountStale"],
            |stage| begin(stage, V, Fault::RestBroken { how: Broken::InternalError }),
            |stage| end(stage, V, Fault::RestBroken { how: Broken::InternalError }),
        ),
    ]]]
}

fn bybit() -> Vec<Vec<Vec<Case>>> {
    const V: Venue = Venue::Bybit;
    vec![
        vec![
            vec![
                alerts(
                    "One venue's price is off by 2 %",
                    V,
                    &["ExchangePriceDeviation"],
                    |stage| stage.fake(V).tilt(Some("BTCUSDT"), units("1.02")),
                    |stage| stage.fake(V).tilt(Some("BTCUSDT"), Fixed::ONE.over(units("1.02"))),
                ),
                alerts(
                    "The clock jumps by 30 seconds",
                    V,
                    &["ExchangeClockSkewCritical"],
                    |stage| begin(stage, V, Fault::Clock { ms: 30_000 }),
                    |stage| end(stage, V, Fault::Clock { ms: 30_000 }),
                )
                .keeps(&["ExchangeClockSkewHigh"]),
            ],
            vec![
                alerts(
                    "The key may withdraw, from any address",
                    V,
                    &["ExchangeKeyCanWithdraw", "ExchangeKeyNotIpBound"],
                    |stage| {
                        stage.fake(V).change_key(|key| {
                            key.withdraw = true;
                            key.addresses = None;
                        });
                    },
                    |stage| {
                        stage.fake(V).change_key(|key| {
                            key.withdraw = false;
                            key.addresses = Some(vec!["203.0.113.7".to_owned()]);
                        });
                    },
                ),
                alerts(
                    "The key expires in two days",
                    V,
                    &["ExchangeKeyExpiresIn3Days"],
                    |stage| stage.fake(V).change_key(|key| key.expires_at = Some(now() + 2 * DAY)),
                    |stage| stage.fake(V).change_key(|key| key.expires_at = Some(now() + 90 * DAY)),
                )
                .keeps(&["ExchangeKeyExpiresIn14Days"]),
            ],
        ],
        vec![vec![
            alerts(
                "The private stream is refused",
                V,
                &["ExchangePrivateStreamDown"],
                |stage| {
                    begin(stage, V, Fault::RefuseDial.private());
                    begin(stage, V, Fault::Drop.private());
                },
                |stage| end(stage, V, Fault::RefuseDial.private()),
            ),
            alerts(
                "The exporter is killed",
                V,
                &["ExchangeExporterDown"],
                |stage| stage.kill_exporter(V),
                |stage| stage.start_exporter(V),
            )
            // The average of a quarter of an hour is low for longer than the exporter is down.
            .may(&["ExchangePublicStreamUnstable"])
            .keeps(&["ExchangePublicStreamDown", "ExchangePublicStreamUnstable"]),
        ]],
    ]
}

fn coinbase() -> Vec<Vec<Vec<Case>>> {
    const V: Venue = Venue::Coinbase;
    vec![
        vec![
            vec![
                alerts(
                    "Answers take two seconds",
                    V,
                    &["ExchangeRestLatencyHigh"],
                    |stage| begin(stage, V, Fault::RestSlow { ms: 2_000 }),
                    |stage| end(stage, V, Fault::RestSlow { ms: 2_000 }),
                ),
                alerts(
                    "Answers take six seconds",
                    V,
                    &["ExchangeRestLatencyCritical"],
                    |stage| begin(stage, V, Fault::RestSlow { ms: 6_000 }),
                    |stage| end(stage, V, Fault::RestSlow { ms: 6_000 }),
                )
                .may(&["ExchangeAccountStale"])
                .keeps(&["ExchangeRestLatencyHigh"]),
                alerts(
                    "Sequence numbers are missing",
                    V,
                    &["ExchangeSequenceGaps"],
                    |stage| begin(stage, V, Fault::SkipSequence { by: 7 }),
                    |_| (),
                ),
                alerts(
                    "A symbol that was asked for is delisted",
                    V,
                    &["ExchangeSymbolRejected"],
                    |stage| assert!(stage.fake(V).delist("ADA-USD")),
                    |stage| drop(stage.fake(V).list("ADA", "USD")),
                ),
            ],
            vec![
                alerts(
                    "Equity falls by a fifth",
                    V,
                    &["ExchangeDrawdownCritical", "ExchangeEquityFell"],
                    |stage| stage.fake(V).withdraw("spot", "BTC", units("0.25")).unwrap(),
                    |stage| stage.fake(V).deposit("spot", "BTC", units("0.25")),
                )
                .keeps(&["ExchangeDrawdownHigh"]),
            ],
        ],
        vec![vec![
            alerts(
                "Maintenance",
                V,
                &["ExchangeMaintenance"],
                |stage| begin(stage, V, Fault::Maintenance),
                |stage| end(stage, V, Fault::Maintenance),
            )
            .may(&["ExchangeErrorRatioHigh", "ExchangeAccountStale"]),
        ]],
    ]
}

fn okx() -> Vec<Vec<Vec<Case>>> {
    const V: Venue = Venue::Okx;
    vec![
        vec![
            vec![
                alerts(
                    "Events are five seconds old",
                    V,
                    &["ExchangeEventLagHigh"],
                    |stage| begin(stage, V, Fault::Clock { ms: -5_000 }),
                    |stage| end(stage, V, Fault::Clock { ms: -5_000 }),
                ),
                alerts(
                    "One symbol is frozen, the others move",
                    V,
                    &["ExchangePriceStale"],
                    |stage| begin(stage, V, Fault::FrozenSymbol { symbol: "SOL-USDT".to_owned() }),
                    |stage| end(stage, V, Fault::FrozenSymbol { symbol: "SOL-USDT".to_owned() }),
                ),
                nothing(
                    "Nonsense between the good frames, for ten seconds",
                    V,
                    |stage| begin(stage, V, Fault::Garbage { kind: Some(Garbage::Truncated) }),
                    "sum(exchange_errors_total{exchange=\"okx\",source=\"public\"})",
                    10,
                )
                .ends(|stage| end(stage, V, Fault::Garbage { kind: Some(Garbage::Truncated) })),
            ],
            vec![
                alerts(
                    "Assets without a price",
                    V,
                    &["ExchangeEquityCoverageLow"],
                    |stage| stage.fake(V).deposit("trading", "AIRDROP", units("1000")),
                    |stage| stage.fake(V).withdraw("trading", "AIRDROP", units("1000")).unwrap(),
                ),
                alerts(
                    "Positions as large as the account, one near its liquidation, and no order",
                    V,
                    &["ExchangeExposureHigh", "ExchangeLiquidationImminent", "ExchangePositionWithoutOrders"],
                    |stage| {
                        let fake = stage.fake(V);
                        let worth = |coin| fake.dollars(coin).unwrap().floor_to(units("0.1"));
                        let open = |symbol, side, size, price, mark| {
                            fake.open_position(Category::Linear, symbol, side, units(size), price, units("10"))
                                .unwrap();
                            fake.move_mark(Category::Linear, symbol, mark).unwrap();
                        };
                        // Hundredths of bitcoin; and a tenth of ether, whose liquidation the fake puts at half of its price.
                        let (bitcoin, ether) = (worth("BTC"), worth("ETH"));
                        open("BTC-USDT-SWAP", Side::Sell, "150", bitcoin, bitcoin);
                        open("ETH-USDT-SWAP", Side::Buy, "1", ether, ether.times(units("0.53")).floor_to(units("0.1")));
                    },
                    |stage| {
                        for symbol in ["BTC-USDT-SWAP", "ETH-USDT-SWAP"] {
                            stage.fake(V).close_position(Category::Linear, symbol).unwrap();
                        }
                    },
                )
                .keeps(&["ExchangeLiquidationNear"]),
            ],
        ],
        vec![vec![
            alerts(
                "The key's secret is wrong",
                V,
                &["ExchangeAuthFailing"],
                |stage| stage.write_secret(V, "not-the-secret"),
                |stage| stage.write_secret(V, &stage.fake(V).key().secret),
            )
            .keeps(&["ExchangeAccountStale", "ExchangePrivateStreamDown"]),
            alerts(
                "The exporter's target is gone",
                V,
                &["ExchangeExporterDown"],
                |stage| stage.list_target(V, false),
                |stage| stage.list_target(V, true),
            )
            // The average of a quarter of an hour is low for longer than the exporter is down.
            .may(&["ExchangePublicStreamUnstable"])
            .keeps(&["ExchangePublicStreamDown", "ExchangePublicStreamUnstable"]),
        ]],
    ]
}
