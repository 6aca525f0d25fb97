# The two commands that matter are `make run` and `make test`; both install first what the machine lacks.

.PHONY: help setup run test lint format check-licences deny bench bench-growth bench-quick bench-smoke load faults fuzz

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## Install what the machine lacks
	@setup/setup.sh

run: setup ## Start the whole system with demo cases, on private servers
	cargo run -p caseledger -- dev --demo

# Some tests start the command itself, which `cargo test` alone does not build. More run at once than there are cores: most of
# what they do is wait for servers.
test: setup ## Run all tests, on private servers
	cargo build --workspace --all-targets
	RUST_TEST_THREADS=4 cargo test --workspace

lint: ## Check format, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

format: ## Format the code
	cargo fmt --all

check-licences: ## Check licences and banned crates, where cargo-deny is installed
	@if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; \
	else echo 'cargo-deny is not installed: licences were not checked (`make deny` installs it, in some minutes)'; fi

deny: ## Check licences, banned crates and known weaknesses; installs cargo-deny
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check

bench: setup ## Measure everything beside the peers, in under 20 minutes once built: tables, bench/results.json and bench/throughput.svg
	cargo build --release -p caseledger -p bench
	cargo run --release -p bench -- run --json bench/results.json --plot bench/throughput.svg

bench-growth: setup ## Measure how commands fare in logs of up to 10,000,000 events and cases of up to 1,000; needs some 25 GB for a while
	cargo build --release -p caseledger -p bench
	cargo run --release -p bench -- growth --json bench/growth.json --plot bench/growth.svg

bench-quick: setup ## Measure the one that counts; the last line is `ratio: N`
	cargo build --release -p caseledger -p bench
	cargo run --release -p bench -- quick

bench-smoke: setup ## Run each case of the benchmark for a moment, to see that it works
	cargo build -p caseledger -p bench
	cargo run -p bench -- smoke

# LOAD='--minutes 5' changes how long; `bench endurance --help` names the rest.
load: setup ## Offer half the peak for half an hour, a burst, slow consumers: bench/load.json, bench/load.svg; needs some tens of GB
	cargo build --release -p caseledger -p bench
	cargo run --release -p bench -- endurance --json bench/load.json --plot bench/load.svg $(LOAD)

# The short ones are in `make test` too. Some of the others need root, to mount a small disk.
faults: setup ## Make every fault happen to the real system; ends with a table
	@tests/faults.sh

# Ten minutes for each of the eight, beside the time to build them. `FUZZ_SECONDS=60 make fuzz` is a quick look.
fuzz: ## Fuzz what reads bytes from strangers, for FUZZ_SECONDS (600) a target; installs cargo-fuzz
	@fuzz/run.sh
