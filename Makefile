# The everyday commands. `make` alone lists them. A Rust toolchain is all that has to be there beforehand.

BUILT = $${CARGO_TARGET_DIR:-target}
CONFIG = examples/quickstart/mailsluice.toml
# How long `make fuzz` takes for each target.
SECONDS = 60
# Without the sandbox, which nothing that is counted comes near: it would take most of the time of the build.
COUNT = cargo bench -p mailsluice --no-default-features --bench count
# Beside everything else, so that what was built for the other tests is built already.
GSSAPI = --features gssapi

.PHONY: help setup sinks run test soak fuzz bench count count-keep peers lint gssapi examples script-host script-host-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check for what a build needs, and install a C linker if there is none
	@scripts/setup

sinks: setup ## build the sandboxed sinks that ship, into sinks/built
	@scripts/sinks

run: sinks ## build, and serve examples/quickstart on 127.0.0.1:2525
	cargo build --release -p mailsluice
	@exec "$(BUILT)/release/mailsluice" serve --config $(CONFIG)

test: sinks ## run every test, with those foreign mail programs that are there
	cargo test --all-targets
	cargo test --doc
	cd sinks && cargo test
	@scripts/examples native

soak: sinks ## run for some hours what make test runs for some seconds: hostile guests, canaries, swaps, crashes, stops, floods, faults
	MAILSLUICE_REPEATS=1000 MAILSLUICE_CANARIES=1000000 MAILSLUICE_SWAPS=1000 MAILSLUICE_CRASHES=100 \
	MAILSLUICE_STOPS=100 MAILSLUICE_FLOOD=1000000 MAILSLUICE_SLOW=10000 MAILSLUICE_CUTS=20 \
	cargo test --test it -- --nocapture sandbox crash stops:: bounded:: full:: transport_faults transport_power
	MAILSLUICE_FUZZ=1000000 cargo test --test fuzz

fuzz: setup ## look for inputs that break something, SECONDS=60 for each target, or with TARGET=line for one
	@scripts/fuzz $(SECONDS) $(TARGET)

examples: setup ## build and test the sinks in examples/sinks whose compilers PyPI and npm have, and fetch those
	@scripts/examples

bench: setup ## run the benchmarks
	cargo bench --benches -p mailsluice

count: setup ## count the instructions of the hot paths, and compare with those kept; needs valgrind
	$(COUNT)

count-keep: setup ## keep the present counts, in benches/count/counts.toml
	$(COUNT) -- --keep

peers: ## install the foreign mail programs that some tests talk to
	@scripts/peers

lint: setup ## check format, lints and, if cargo-deny is there, dependencies
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cd sinks && cargo fmt --check && cargo clippy --all-targets -- -D warnings
	cd sinks && cargo clippy --target wasm32-unknown-unknown -- -D warnings
	cd fuzz && cargo fmt --check && cargo clippy --all-targets -- -D warnings
	cd tests/guests && cargo fmt --check && cargo clippy --target wasm32-unknown-unknown --target-dir ../../target/guests \
	--examples --features wasi -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources && \
	cargo deny --manifest-path sinks/Cargo.toml --config deny.toml check bans licenses sources && \
	cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check bans licenses sources; \
	else echo "cargo-deny is not there: licences and sources of dependencies are not checked"; fi

gssapi: setup ## lint and test AUTH GSSAPI, for which the header files of Kerberos and libclang have to be there
	cargo clippy $(GSSAPI) --lib --bins --test it -- -D warnings
	cargo test $(GSSAPI) --test it gssapi

script-host: setup ## build the component that runs scripts, which is kept in the repository; needs clang 14
	cargo test --test it --test scripts --no-run
	"$(BUILT)/debug/make-script-host"

script-host-check: setup ## check that the kept component is the build of its source
	cargo test --test it --test scripts --no-run
	"$(BUILT)/debug/make-script-host" --check

clean: ## remove what was built and what the quickstart server wrote
	cargo clean
	cargo clean --manifest-path sinks/Cargo.toml
	cargo clean --manifest-path fuzz/Cargo.toml
	rm -rf examples/quickstart/var sinks/built examples/sinks/*/build examples/sinks/*/*.wasm examples/sinks/*/wit/deps
