//! What can a service do?

use std::fmt::Write as _;

use serde::Serialize;

use super::ServiceInfo;
use crate::model::RecordKind;

/// What an adapter can do, as a flat table. Conformance suites are chosen by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "a table of yes and no")]
pub struct Capabilities {
    /// The kinds of records it reads.
    pub kinds: Vec<RecordKind>,
    /// How it reads what has changed.
    pub increments: Increments,
    /// How deletions become known between full listings.
    pub deletions: Deletions,
    /// Whether it asks for no more than a [`Window`](crate::sync::Window); others read everything, and what
    /// lies outside is left out afterwards.
    pub windows: bool,
    /// Whether the content of attachments can be read.
    pub attachments: bool,
    /// Whether access tokens expire and can be refreshed.
    pub refresh: bool,
    /// Whether a grant can be taken back through the provider's API.
    pub revoke: bool,
    /// Whether scopes can be added to an existing grant.
    pub incremental_scopes: bool,
}

/// How an adapter reads what has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Increments {
    /// It cannot: every run lists everything.
    #[default]
    None,
    /// Since a mark of the provider's: each change comes once.
    Exact,
    /// Since a time, and some time before it: what changed last comes again with the next run.
    Overlapping,
}

/// How deletions become known between full listings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deletions {
    /// They do not: a full listing finds them.
    #[default]
    Listing,
    /// Those of recent items, which are read again; a full listing finds the others.
    Recent,
    /// The provider names them.
    Named,
}

impl Capabilities {
    /// Reads these kinds of records, and nothing more.
    pub fn reading(kinds: impl Into<Vec<RecordKind>>) -> Self {
        Self { kinds: kinds.into(), ..Self::default() }
    }

    /// Says how changes are read, and how deletions become known.
    pub fn with_increments(mut self, increments: Increments, deletions: Deletions) -> Self {
        self.increments = increments;
        self.deletions = deletions;
        self
    }

    /// Asks for no more than a window.
    pub fn with_windows(mut self) -> Self {
        self.windows = true;
        self
    }

    /// The content of attachments can be read.
    pub fn with_attachments(mut self) -> Self {
        self.attachments = true;
        self
    }

    /// Tokens expire and can be refreshed.
    pub fn with_refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// The grant can be taken back.
    pub fn with_revoke(mut self) -> Self {
        self.revoke = true;
        self
    }

    /// Scopes can be added to a grant.
    pub fn with_incremental_scopes(mut self) -> Self {
        self.incremental_scopes = true;
        self
    }
}

impl Increments {
    const fn words(self) -> &'static str {
        match self {
            Self::None => "by listing again",
            Self::Exact => "exact",
            Self::Overlapping => "with overlap",
        }
    }
}

impl Deletions {
    const fn words(self) -> &'static str {
        match self {
            Self::Listing => "by full listings",
            Self::Recent => "of recent items; others by full listings",
            Self::Named => "named",
        }
    }
}

/// The capabilities of services as a table of Markdown, for their documentation. The docs of every provider
/// crate hold theirs, and a test compares.
pub fn capability_table<'a>(services: impl IntoIterator<Item = &'a ServiceInfo>) -> String {
    let mut table = String::from(
        "| Service | Records | Changes | Deletions | Window | Attachments | Refresh | Revoke | Scopes |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for info in services {
        let Capabilities { kinds, increments, deletions, windows, attachments, .. } = &info.capabilities;
        let Capabilities { refresh, revoke, incremental_scopes, .. } = &info.capabilities;
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let yes = |can: bool| if can { "yes" } else { "–" };
        let cells = [
            kinds.join(", ").as_str(),
            increments.words(),
            deletions.words(),
            if *windows { "asked for" } else { "left out" },
            yes(*attachments),
            yes(*refresh),
            yes(*revoke),
            if *incremental_scopes { "can be added" } else { "fixed" },
        ]
        .join(" | ");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{}` | {cells} |", info.id);
    }
    table
}
