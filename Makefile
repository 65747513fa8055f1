# Everything there is to type; plain `make` lists it. Needs make; what else, each target says. Nothing needs root but `test-systemd` and
# `test-stack`.
.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:/ { print $$1 }' Makefile)

# Where cargo puts things, and the folder that scripts/fetch-tools fills; what is installed and new enough is linked there.
OUT := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# The first exporter's port; the others, the bot gateway (+5), Prometheus (+1090) and Alertmanager (+1093) move along.
export PORT_BASE ?= 8000
export PROMETHEUS_URL ?= http://localhost:$(shell expr $(PORT_BASE) + 1090)
# Most of a test's time is waiting, so that more of them go on at once than there are processors.
export TEST_THREADS ?= 4

step = @printf '\n── %s\n' "$(1)"
comma := ,

help: ## List the targets
	@awk -F ':.*## ' '/^## / { print "\n" substr($$0, 4) } \
	  /^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

## Look at it: needs cargo and a C compiler

build: ## Build everything, optimised
	cargo build --release --workspace --bins

demo: build ## Fake venues, the five exporters, bots and their gateway, Prometheus and Alertmanager until Ctrl-C [PORT_BASE=8000] [DEMO="--trouble=lie"]
	@scripts/fetch-tools || true
	@$(OUT)/release/demo $(DEMO)

run: build ## The same against the live venues, without our bots; keys and settings come from the environment
	@scripts/fetch-tools || true
	@$(OUT)/release/demo --live

## Run it: needs Docker with Compose, and Python 3

setup: ## Once, before `make up`: .env with a password for Grafana, a token for bots, and empty files for keys
	@scripts/setup

up: ## Start the stack in containers: what COMPOSE_PROFILES in .env names; builds the images if they are not there
	@scripts/compose up -d

down: ## Stop the stack; its data stays
	@scripts/compose down

reload: ## Let the stack's Prometheus and Alertmanager take up edited configuration
	@scripts/compose kill -s HUP prometheus alertmanager

targets: ## What Prometheus scrapes: health, last scrape, error, likely cure [PROMETHEUS_URL=http://localhost:9090]
	@scripts/targets

add-target: ## Let Prometheus scrape one more: JOB=okx-exporter TARGET=host:8004 [LABELS=account=main] [NAME=file]
	@scripts/targets add '$(JOB)' '$(TARGET)' --labels='$(LABELS)' --name='$(NAME)'

remove-target: ## Let Prometheus scrape one less: JOB=okx-exporter TARGET=host:8004
	@scripts/targets remove '$(JOB)' '$(TARGET)'

images: ## Build the images of the five exporters and of the bot gateway, from source
	@COMPOSE_PROFILES=exchanges,bots scripts/compose build

dist: ## Build static binaries into dist/ [TARGET=aarch64-unknown-linux-gnu]
	@scripts/dist $(TARGET)

## Work on it: needs cargo, a C compiler and Python 3

test: check ## Every check and every test that needs neither root nor Docker; fetches what it needs
	$(call step,unit$(comma) adapter and end-to-end tests)
	@scripts/run-tests

test-peers: ## Whether ccxt, an independent client, agrees with the fake venues
	$(call step,ccxt against the fake venues)
	@scripts/test-peers

test-systemd: ## The exporters as services, in a small machine with a systemd of its own; needs Debian and root
	$(call step,the systemd units under a real systemd)
	@scripts/test-systemd

test-stack: ## The stack in a real Docker: builds the images, breaks things, looks; needs Debian and root
	$(call step,the stack in containers)
	@scripts/test-stack

fuzz: ## Fuzz a target, a minute or longer; without one, list them [TARGET=okx] [SECONDS=600] [RECORDINGS=folder]
	@scripts/fuzz $(TARGET) $(SECONDS)

fuzz-smoke: ## Every fuzz target for some seconds, from what the fakes send and what was found before
	$(call step,fuzz targets)
	@scripts/fuzz --smoke $(SECONDS)

check-dependencies: ## Licences, duplicates, sources and advisories of all dependencies, by deny.toml
	$(call step,dependencies)
	@scripts/check-dependencies

check: tools ## Format, lints and configuration files, without running anything
	$(call step,format)
	cargo fmt --all --check
	$(call step,lints)
	cargo clippy --workspace --all-targets -- -D warnings
	$(call step,documentation)
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
	$(call step,configuration of Prometheus and Alertmanager)
	@scripts/check-config
	$(call step,dashboards)
	@scripts/dashboards --check
	$(call step,Kubernetes and systemd)
	@scripts/check-kubernetes
	@scripts/check-systemd

tools: ## Fetch Prometheus, Alertmanager and what else the tests need into .tools
	@scripts/fetch-tools $(if $(CI),,|| true)

docs: ## Regenerate the generated parts of the documentation
	UPDATE=1 cargo test -p common -p bot-exporter --test reference

dashboards: ## Regenerate grafana/dashboards
	@scripts/dashboards

kubernetes: ## Regenerate what Kubernetes gets of rules, alerts and runbooks
	@scripts/render-kubernetes

bench: build ## Measure the exporters beside a plain one, eleven minutes after the build [BENCH="--quick", BENCH="--write"]
	@$(OUT)/release/bench $(BENCH)

bench-bot: build tools ## Measure the bot gateway beside a Pushgateway [BENCH="--quick", BENCH="--write"]
	@$(OUT)/release/bench-bot $(BENCH)

soak: build ## Let the exporters live through hours of trouble in minutes, and look at every scrape [MINUTES=5] [SOAK="--seed=7"]
	@$(OUT)/release/soak --minutes=$(or $(MINUTES),5) $(SOAK)

screenshot: ## Take the README's picture from the running demo; needs Chromium
	@scripts/screenshot

clean: ## Remove all that was built or fetched
	cargo clean
	rm -rf .tools fuzz/target fuzz/corpus fuzz/artifacts
