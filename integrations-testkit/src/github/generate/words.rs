//! What is made up, and by whom?

/// People of every fake with something generated: login, name.
pub(in crate::github) const PEOPLE: &[[&str; 2]] = &[
    ["grace", "Grace Hopper"],
    ["alan", "Alan Turing"],
    ["katherine-j", "Katherine Johnson"],
    ["jose-nunez", "José Núñez"],
    ["zoe", "Zoë \"Z\" Washburne"],
    ["tanaka-taro", "田中 太郎"],
    ["edsger", "Edsger Dijkstra"],
    ["barbara", "Barbara Liskov"],
];

/// The app whose bot writes, too.
pub(in crate::github) const BOT: &str = "renovate";

pub(super) const TITLES: &[&str] = &[
    "Crash when the cursor is empty",
    "Add a dark theme",
    "Sync stops after 30 items",
    "`since` is off by one second",
    "R&D: compare <storage> layers",
    "Grüße aus Köln werden falsch kodiert",
    "四半期レポートが文字化けする",
    "Memory grows with the number of pages",
    "Docs: explain \"quoted\" paths like C:\\reports",
    "Release 2.0 \u{1f389}",
    "Ошибка при повторном входе",
    "Bump serde from 1.0.228 to 1.0.229",
];

/// Bodies as people write them in a browser, where a line ends with two characters.
pub(super) const BODIES: &[&str] = &[
    "### Steps\r\n\r\n1. Connect\r\n2. Wait\r\n\r\nIt stops. cc @grace",
    "See #1 and https://example.com/a?b=1&c=2.\r\n\r\n```rust\r\nfn main() {}\r\n```",
    "| a | b |\r\n|---|---|\r\n| 1 | <2 |",
    "Fixes #2\r\n\r\n- [x] tests\r\n- [ ] docs",
    "Das Verhalten ist seit Version 1.4 anders \u{2013} siehe Anhang.",
    "",
];

pub(super) const COMMENTS: &[&str] = &[
    "LGTM",
    "Can you add a test?",
    "> Can you add a test?\r\n\r\nDone in 3f2a1bc.",
    "@alan what do you think?",
    "I see the same on macOS \u{1f914}",
    "再現しました。",
];

pub(super) const FILES: &[&str] = &["src/lib.rs", "README.md", "docs/größe.md", "tests/sync/mod.rs"];

pub(super) const CHECKS: &[&str] = &["build", "test (ubuntu)", "test (macos)", "clippy"];

/// Names of generated repositories.
pub(in crate::github) const PROJECTS: &[&str] =
    &["apollo", "billing", "cli", "design-system", "infra", "mobile", "sdk.js", "website"];
