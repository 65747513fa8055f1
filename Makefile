# Everything there is to type; plain `make` lists it. Needs cargo, make and a C compiler; nothing here needs root.
.DEFAULT_GOAL := help
.PHONY: help build run demo targets add-target remove-target test test-peers check tools bench docs screenshot clean

# Where cargo puts things, and the folder that scripts/fetch-tools fills; what is installed and new enough is linked there.
OUT := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# The first exporter's port; the others, Prometheus (+1090) and Alertmanager (+1093) move along.
export PORT_BASE ?= 8000
export PROMETHEUS_URL ?= http://localhost:$(shell expr $(PORT_BASE) + 1090)

step = @printf '\n── %s\n' "$(1)"

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

build: ## Build everything, optimised
	cargo build --release --workspace --bins

demo: build ## Fake venues, the five exporters, Prometheus and Alertmanager until Ctrl-C [PORT_BASE=8000]
	@scripts/fetch-tools || true
	@$(OUT)/release/demo

run: build ## The same against the live venues; keys and settings come from the environment
	@scripts/fetch-tools || true
	@$(OUT)/release/demo --live

targets: ## What Prometheus scrapes: health, last scrape, error, likely cure [PROMETHEUS_URL=http://localhost:9090]
	@scripts/targets

add-target: ## Let Prometheus scrape one more: JOB=okx-exporter TARGET=host:8004 [LABELS=account=main] [NAME=file]
	@scripts/targets add '$(JOB)' '$(TARGET)' --labels='$(LABELS)' --name='$(NAME)'

remove-target: ## Let Prometheus scrape one less: JOB=okx-exporter TARGET=host:8004
	@scripts/targets remove '$(JOB)' '$(TARGET)'

test: check ## Every check and every test; fetches what it needs
	$(call step,unit$(comma) adapter and end-to-end tests)
	cargo build --workspace --bins
	cargo test --workspace --no-fail-fast

test-peers: ## Whether ccxt, an independent client, agrees with the fake venues; needs Python 3
	$(call step,ccxt against the fake venues)
	@scripts/test-peers

check: tools ## Format, lints and configuration files, without running anything
	$(call step,format)
	cargo fmt --all --check
	$(call step,lints)
	cargo clippy --workspace --all-targets -- -D warnings
	$(call step,documentation)
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
	$(call step,configuration of Prometheus and Alertmanager)
	@scripts/check-config

tools: ## Fetch Prometheus, Alertmanager and what else the tests need into .tools
	@scripts/fetch-tools $(if $(CI),,|| true)

bench: build ## Measure the exporters beside a plain one, ten minutes with the build [BENCH="--quick", BENCH="--write"]
	@$(OUT)/release/bench $(BENCH)

docs: ## Regenerate the generated parts of the documentation
	UPDATE=1 cargo test -p common --test reference

screenshot: ## Take the README's picture from the running demo; needs Chromium
	@scripts/screenshot

clean: ## Remove all that was built or fetched
	cargo clean
	rm -rf .tools

comma := ,
