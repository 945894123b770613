# The commands of the project. `make test` is what has to pass before anything lands.

CARGO ?= cargo
# Built by `unit` for the integration tests: building it alone would compile many dependencies again with other features.
DOSSIER = $(or $(CARGO_TARGET_DIR),target)/release/dossier

# What is behind a feature is tested too, in the one build that there is.
FEATURES = --features dossier-web/oidc,dossier-web/otel

.PHONY: test packages fmt lint unit rules samples eval bench deny soak fuzz-api

test: packages fmt lint unit rules samples
	@echo "all tests passed"

# Debian packages and tools that tests need and that may be absent.
packages:
	@tests/install-packages.sh

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

unit:
	$(CARGO) test --workspace --release --locked $(FEATURES)

rules: unit
	$(DOSSIER) rules check
	$(DOSSIER) rules test

# The committed samples must stay above their floors: a regression of accuracy fails here.
samples: unit
	$(DOSSIER) eval sample_docs --floors tests/floors.toml

# Made anew from the generator (it has a lock file and dependencies of its own; the first build is long).
eval:
	$(CARGO) build --release --locked
	cd sample_docs/generate && $(CARGO) run --release --locked -- --out ../generated/eval --seed 1000 --cases 140 --layouts all
	./target/release/dossier eval sample_docs/generated/eval

bench:
	$(CARGO) bench -p dossier

deny:
	$(CARGO) deny check

# What takes longer than a landing may: the full hostile suite, lists and reports over 200 000 cases, and two
# hundred reviewers at once.
soak:
	DOSSIER_SOAK=1 $(CARGO) test --workspace --release --locked $(FEATURES)

# The API under many made-up requests, as every role; a short form of it is among the tests.
fuzz-api: packages
	DOSSIER_FUZZ=full $(CARGO) test --workspace --release --locked $(FEATURES) fuzz:: -- --nocapture
