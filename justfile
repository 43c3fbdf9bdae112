# The checks of this project, one a recipe. `just` lists them; `.ci/run` runs them all.

default:
    @just --list

# Everything that CI checks.
ci:
    bash .ci/run

# Format the code.
fmt:
    cargo fmt --all

# The lints, warnings denied.
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The tests.
test:
    cargo test --workspace

# The documentation, warnings denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# Licences, banned crates, advisories.
deny:
    cargo deny check

# Measured speed; see benches/README.md.
bench:
    cargo bench -p integrations-benches

# A full sync of many items into SQLite: of google_calendar, gmail or slack.
backfill items="100000" service="google_calendar":
    cargo run --release --example backfill -- --service {{ service }} --items {{ items }}

# The first ten minutes.
quickstart:
    cargo run --example quickstart

# A page on which users connect their accounts.
web_connect:
    cargo run --example web_connect

# The same page, tested in headless Chromium; needs the packages chromium and chromium-driver.
page:
    cargo test -p integrations-examples --test web_connect -- --ignored --nocapture

# Several workers on one queue: of sqlite, postgres, redis or nats.
worker queue="sqlite":
    cargo run --example worker -- --queue {{ queue }}

# The backends on servers: PostgreSQL, Redis and NATS on their standard ports, or where the environment says.
backends:
    cargo test -p integrations-stores --all-features -- --include-ignored
