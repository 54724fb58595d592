# What people and CI type. Logic lives in scripts/ and in cargo; CONTRIBUTING.md says what each check is for.
.PHONY: demo build test fmt lint deny doc bench-heart fuzz setup

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

# What the heart costs, part by part: judging, lines before login, what stays in the path after it, the store's reads.
bench-heart:
	cargo bench --bench heart

# One fuzz target for as long as wanted: make fuzz TARGET=imap_command (needs cargo-fuzz and a nightly toolchain).
fuzz:
	cargo +nightly fuzz run $(TARGET)

# Mail servers, mail programs and tools, where they are missing.
setup:
	scripts/setup
