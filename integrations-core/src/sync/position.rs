//! How far has a stream been read?

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::window::Window;
use crate::adapter::Next;

/// A provider's mark in its data: a page token, a sync token, a delta link. Opaque to all but its adapter.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(Box<str>);

impl Cursor {
    /// Wraps the adapter's text.
    pub fn new(cursor: impl Into<Box<str>>) -> Self {
        Self(cursor.into())
    }

    /// The adapter's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows the length alone: some providers' cursors are links with private parts.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}

/// Where a stream stands. The engine's state machine, as it is stored:
///
/// ```text
/// Start ──▶ Listing ──▶ Tracking ──▶ Tracking …
///              ▲ │          │ the provider has forgotten the cursor
///              │ └─▶ Listed │ where there are no changes to follow
///              │        │   │
///              └── Resync ◀─┘
/// ```
///
/// A listing reads everything that is there, page by page; tracking reads what has changed since a
/// cursor. A stream without changes to follow is listed again by each run. Each listing has a generation,
/// higher than those before, so that records it does not meet can be told from those it does; and a
/// [`Window`], which the changes that follow it share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Position {
    /// Nothing has been read yet.
    #[default]
    Start,
    /// A listing is under way.
    Listing {
        /// The generation of the listing.
        generation: u64,
        /// The next page.
        page: Cursor,
        /// How many items of this listing were so odd that not even their id could be read. What it
        /// has not seen is then no proof of a deletion.
        #[serde(default)]
        unidentified: u64,
        /// When the listing began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<DateTime<Utc>>,
        /// What is listed.
        #[serde(default, skip_serializing_if = "Window::is_all")]
        window: Window,
    },
    /// A listing is complete; changes are followed.
    Tracking {
        /// The generation of the last complete listing.
        generation: u64,
        /// Changes after this mark are still to be read.
        since: Cursor,
        /// The next page of the changes that are being read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<Cursor>,
        /// Whether records are left that the last complete listing has not seen.
        #[serde(default, skip_serializing_if = "Leftover::is_none")]
        leftover: Leftover,
        /// When the last complete listing began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<DateTime<Utc>>,
        /// What was listed.
        #[serde(default, skip_serializing_if = "Window::is_all")]
        window: Window,
    },
    /// A listing is complete; there are no changes to follow, and the next run lists again.
    Listed {
        /// The generation of the listing.
        generation: u64,
        /// Whether records are left that the listing has not seen.
        #[serde(default, skip_serializing_if = "Leftover::is_none")]
        leftover: Leftover,
        /// What was listed.
        #[serde(default, skip_serializing_if = "Window::is_all")]
        window: Window,
    },
    /// The position was lost; everything has to be listed again.
    Resync {
        /// The generation that the new listing will have.
        generation: u64,
        /// What it will list.
        #[serde(default, skip_serializing_if = "Window::is_all")]
        window: Window,
    },
}

/// The records that a complete listing has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leftover {
    /// There are none.
    #[default]
    None,
    /// They are still to be counted, and then deleted or withheld.
    Pending,
    /// The listing was too short, or too odd, to be believed: they stay until a later listing, or the
    /// host, says otherwise.
    Withheld,
}

impl Leftover {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl Position {
    /// The position after a page that was read here: the state machine's one step.
    ///
    /// `unidentified` counts the items of the page whose id could not be read. A listing that begins with the
    /// page begins at `now`.
    pub(crate) fn after(&self, next: &Next, unidentified: u64, now: DateTime<Utc>) -> Self {
        let (generation, window) = (self.generation().max(1), self.window());
        if let Self::Tracking { since, leftover, begun, .. } = self {
            let (since, page) = match next {
                Next::Page(page) => (since.clone(), Some(page.clone())),
                Next::Done(since) => (since.clone(), None),
                // The adapter says so when it has nothing to follow any more.
                Next::Listed => return Self::Listed { generation, leftover: *leftover, window },
            };
            return Self::Tracking { generation, since, page, leftover: *leftover, begun: *begun, window };
        }
        let (before, begun) = match self {
            Self::Listing { unidentified, begun, .. } => (*unidentified, *begun),
            _ => (0, Some(now)),
        };
        let unidentified = before + unidentified;
        let leftover = match (generation, unidentified) {
            // Nothing was there before the first listing.
            (1, _) => Leftover::None,
            (_, 0) => Leftover::Pending,
            _ => Leftover::Withheld,
        };
        match next {
            Next::Page(page) => Self::Listing { generation, page: page.clone(), unidentified, begun, window },
            Next::Done(since) => {
                Self::Tracking { generation, since: since.clone(), page: None, leftover, begun, window }
            }
            Next::Listed => Self::Listed { generation, leftover, window },
        }
    }

    /// The position from which everything is listed anew.
    pub(crate) fn anew(&self, window: Window) -> Self {
        Self::Resync { generation: self.generation() + 1, window }
    }

    /// The same position with another answer to what became of the records that a listing has not seen.
    pub(crate) fn with_leftover(mut self, now: Leftover) -> Self {
        if let Self::Tracking { leftover, .. } | Self::Listed { leftover, .. } = &mut self {
            *leftover = now;
        }
        self
    }

    /// What became of the records that the last complete listing has not seen.
    pub const fn leftover(&self) -> Leftover {
        match self {
            Self::Tracking { leftover, .. } | Self::Listed { leftover, .. } => *leftover,
            Self::Start | Self::Listing { .. } | Self::Resync { .. } => Leftover::None,
        }
    }

    /// What the listing that is under way, or the last one, reads.
    pub const fn window(&self) -> Window {
        match self {
            Self::Start => Window::ALL,
            Self::Listing { window, .. }
            | Self::Tracking { window, .. }
            | Self::Listed { window, .. }
            | Self::Resync { window, .. } => *window,
        }
    }

    /// Whether changes are followed, and the last complete listing began this long ago, or at a time that is not
    /// known. A clock that was far ahead does not put it off for ever.
    pub(crate) fn was_listed_before(&self, interval: Duration, now: DateTime<Utc>) -> bool {
        let Self::Tracking { begun, .. } = self else { return false };
        begun.is_none_or(|begun| (now - begun).abs().to_std().is_ok_and(|passed| passed >= interval))
    }

    /// Whether there is nothing more to read from here in this run.
    pub(crate) const fn is_caught_up(&self) -> bool {
        matches!(self, Self::Tracking { page: None, .. } | Self::Listed { .. })
    }

    /// The stable name of the phase, in snake case.
    pub const fn phase(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Listing { .. } => "listing",
            Self::Tracking { .. } => "tracking",
            Self::Listed { .. } => "listed",
            Self::Resync { .. } => "resync",
        }
    }

    /// The generation of the listing that is under way, or of the last one.
    pub const fn generation(&self) -> u64 {
        match self {
            Self::Start => 0,
            Self::Listing { generation, .. }
            | Self::Tracking { generation, .. }
            | Self::Listed { generation, .. }
            | Self::Resync { generation, .. } => *generation,
        }
    }

    /// Whether the stream has been listed to its end.
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Tracking { .. } | Self::Listed { .. })
    }
}
