#!/usr/bin/env bash
# Runs in the small machine that scripts/test-systemd boots, and looks at the exporters there as a person would. The last line
# of /result/told is `passed`, or what is wrong.
set -euo pipefail
exec >/result/told 2>/result/trace
set -x

fail() {
  systemctl --no-pager status 'exchange-exporter@*' >&2 || true
  journalctl --no-pager --output=short-monotonic >/result/journal || true
  echo "FAILED: $*"
  exit 1
}
value() { systemctl show --property="$2" --value "exchange-exporter@$1"; }
metrics() {
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  cat <&3
  exec 3>&-
}
has() { metrics "$1" | grep -qE "$2"; }
soon() {
  local tries
  for tries in {1..150}; do
    "$@" && return
    sleep 0.2
  done
  : "gave up after $tries tries"
  return 1
}
ready() { has "$1" '^exchange_connection_status\{.*stream="public"\} 1$'; }

echo "systemd $(systemctl --version | sed -n '1s/^systemd \([^ ]*\).*/\1/p') as PID 1"

soon ready 8004 || fail "okx is not ready"
soon has 8004 '^exchange_equity\{.*currency="USDT".*\} [1-9]' || fail "okx, with a key, shows no account"
soon has 8004 '^exchange_connection_status\{.*stream="private"\} 1$' || fail "okx has no private stream"
has 8004 '^process_start_time_seconds [1-9]' || fail "okx tells nothing of its process"
has 8004 '^exchange_errors_total.* [1-9]' && fail "okx counts errors"
echo "okx: prices, account and process under every restriction"

pid=$(value okx MainPID)
for line in 'NoNewPrivs:.1' 'Seccomp:.2' 'CapBnd:.0+' 'CapEff:.0+'; do
  grep -qE "^$line$" "/proc/$pid/status" || fail "okx runs without $line"
done
[ "$(stat -c %u "/proc/$pid")" -ge 61184 ] || fail "okx runs as $(stat -c %U "/proc/$pid")"
! tr '\0' '\n' <"/proc/$pid/environ" | grep -q 'chNOOS4' || fail "the secret stands in the environment"
! nsenter --target "$pid" --mount test -w /etc || fail "okx could write to /etc"
[ -z "$(nsenter --target "$pid" --mount ls -A /etc/exchange-exporters)" ] || fail "okx sees the others' keys"
grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits" || fail "okx could leave a core"
echo "okx: own user, no rights, no key in its environment, no keys of others in sight"

soon ready 8002 || fail "bybit, without a key, is not ready"
has 8002 '^exchange_equity\{' && fail "bybit shows an account without a key"
echo "bybit: no files of a key, market data only"

soon ready 8104 || fail "the second account of okx is not ready; a system call outside the filter would kill it"
soon has 8104 '^exchange_equity\{.*account="second".*\} [1-9]' || fail "the second account is not told apart"
[ "$(value okx-second NRestarts)" = 0 ] || fail "the second account was restarted"
echo "okx-second: no system call outside the filter"

for instance in kucoin coinbase; do
  [ "$(value "$instance" ActiveState) $(value "$instance" Result) $(value "$instance" ExecMainStatus)" = "failed exit-code 2" ] ||
    fail "$instance with settings that cannot be used: $(value "$instance" ActiveState), status $(value "$instance" ExecMainStatus)"
  [ "$(value "$instance" NRestarts)" = 0 ] || fail "$instance was restarted with settings that cannot be used"
done
journalctl --unit exchange-exporter@coinbase --output cat | grep -q 'credentials are incomplete' || fail "coinbase does not say what is missing"
echo "kucoin, coinbase: a wrong setting and half a key end with status 2 and stay down"

kill -KILL "$pid"
restarted() { [ "$(value okx NRestarts)" = 1 ] && ready 8004; }
soon restarted || fail "okx was not restarted"
systemctl stop exchange-exporters.target
for instance in okx bybit okx-second; do
  stopped() { [ "$(value "$instance" ActiveState) $(value "$instance" Result)" = "inactive success" ]; }
  soon stopped || fail "$instance does not stop: $(value "$instance" ActiveState), $(value "$instance" Result)"
done
echo "okx: killed and restarted; the target stops all"
echo passed
