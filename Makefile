# The commands of the project. `make test` is what has to pass before anything lands.

CARGO ?= cargo

.PHONY: test packages fmt lint unit rules samples eval bench deny soak

test: packages fmt lint unit rules samples
	@echo "all tests passed"

# Debian packages that tests need and that may be absent.
packages:
	@tests/install-packages.sh

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

unit:
	$(CARGO) test --workspace --release --locked

rules:
	$(CARGO) run --release --locked -q -- rules check
	$(CARGO) run --release --locked -q -- rules test

# The committed samples must stay above their floors: a regression of accuracy fails here.
samples:
	$(CARGO) run --release --locked -q -- eval sample_docs --floors tests/floors.toml

# Made anew from the generator (it has a lock file and dependencies of its own; the first build is long).
eval:
	$(CARGO) build --release --locked
	cd sample_docs/generate && $(CARGO) run --release --locked -- --out ../generated/eval --seed 1000 --cases 140 --layouts all
	./target/release/dossier eval sample_docs/generated/eval

bench:
	$(CARGO) bench -p dossier

deny:
	$(CARGO) deny check

# What takes longer than a landing may: the full hostile suite.
soak:
	DOSSIER_SOAK=1 $(CARGO) test --workspace --release --locked
