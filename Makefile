# What people and CI type. Logic lives in scripts/ and in cargo; CONTRIBUTING.md says what each check is for.
.PHONY: demo build test fmt lint deny doc bench bench-quick bench-heart fuzz look look-live setup

export PATH := $(CURDIR)/target/tools/bin:$(PATH)

# Postern's main job, shown and checked against a real Dovecot and a real Postfix.
demo:
	scripts/setup servers
	cargo build --bins --examples
	cargo run --quiet --example demo

build:
	cargo build --release --bins

# Everything that a change has to pass; .ci/run is the same.
test: setup fmt lint
	cargo test --quiet
	$(MAKE) --no-print-directory doc deny

fmt:
	cargo fmt --check

lint:
	cargo clippy --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

# `cargo deny check advisories` needs a database from the network and is run by hand.
deny:
	cargo deny --locked check bans licenses sources

# Postern beside nginx, Dovecot and HAProxy; docs/performance.md says how to read it. Leave the machine alone meanwhile.
# A part: make bench ARGS="login-imap fetch --rounds 5".
bench:
	scripts/setup bench
	mkdir -p target/bench
	cargo bench --bench peers -- --json $(CURDIR)/target/bench/peers.json --markdown $(CURDIR)/target/bench/peers.markdown $(ARGS)

# The same with smaller numbers and without the longest works, in less than two minutes.
bench-quick:
	scripts/setup bench
	cargo bench --bench peers -- --quick $(ARGS)

# What the heart costs, part by part: judging, lines before login, what stays in the path after it, the store's reads.
bench-heart:
	cargo bench --bench heart

# Every page of the Manager in a real browser: pictures in target/look, accessibility, widths. A part: make look ARGS="device".
look:
	scripts/look $(ARGS)

# The same of the real daemon, as people come to its pages: pictures in target/look-live. A part: make look-live ARGS="the_story".
look-live:
	scripts/look-live $(ARGS)

# One fuzz target for as long as wanted: make fuzz TARGET=imap_command (needs cargo-fuzz and a nightly toolchain).
fuzz:
	cargo +nightly fuzz run $(TARGET)

# Mail servers, mail programs and tools, where they are missing.
setup:
	scripts/setup
