//! What does the page say?

use chrono::{DateTime, Utc};
use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::Level;
use integrations_core::connection::{Account, ConnectionStatus};
use integrations_core::{Connection, Error, Locale};
use serde::{Deserialize, Serialize};

/// How something stands. The page shows it in words, too, never by its colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tone {
    Good,
    Note,
    Bad,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

/// Something to say once, on the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl Flash {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into() }
    }

    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self { tone: Tone::Note, text: text.into() }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, text: text.into() }
    }

    /// Something failed at a service.
    pub(crate) fn failed(name: &str, error: &Error) -> Self {
        Self::bad(format!("{name}: {}", error.user_message(Locale::En)))
    }

    /// Somebody came back from a provider, and was not connected.
    pub(crate) fn came_back(name: &str, error: &Error) -> Self {
        let text = match error.provider_code() {
            Some("access_denied") => {
                return Self::note(format!("You did not allow access to {name}. Nothing was changed."));
            }
            Some("account_changed") => format!(
                "You chose another account at {name} than the one to reconnect. Nothing was changed. Choose the \
                 same account, or add the other one with “Connect another account”."
            ),
            Some("state_expired") => {
                format!("Signing in at {name} took more than ten minutes. Please connect again.")
            }
            Some("state_of_another_user") => format!(
                "Signing in at {name} was begun in another browser, or your session has ended. Please connect \
                 again, here."
            ),
            Some(
                "state_missing"
                | "state_unknown"
                | "state_reused"
                | "state_of_another_service"
                | "redirect_mismatch"
                | "issuer_mismatch"
                | "issuer_missing"
                | "repeated_parameter"
                | "code_missing",
            ) => format!("This answer of {name} cannot be used, or was used before. Please connect again."),
            _ => return Self::failed(name, error),
        };
        Self::bad(text)
    }
}

/// How a connection stands: in a word or two, and what it means for the user.
pub(crate) fn status(connection: &Connection, name: &str) -> (Tone, &'static str, Option<String>) {
    match &connection.status {
        ConnectionStatus::Active => (Tone::Good, "Connected", None),
        ConnectionStatus::Paused => {
            (Tone::Note, "Paused", Some("Nothing is read until you resume it.".to_owned()))
        }
        ConnectionStatus::ReauthorizationRequired { .. } | ConnectionStatus::Revoked { .. } => {
            let message = connection.status.check().err().map(|error| error.user_message(Locale::En));
            let text = format!(
                "{name} does not accept our access any more. {} Your data here is kept.",
                message.unwrap_or_default()
            );
            (Tone::Bad, "Needs re-authorisation", Some(text))
        }
        other => (Tone::Note, other.as_str(), None),
    }
}

/// The account, as its user knows it.
pub(crate) fn account(account: &Account) -> &str {
    let name = account.email.as_deref().or(account.name.as_deref()).filter(|name| !name.trim().is_empty());
    name.unwrap_or(account.id.as_str())
}

/// What becomes of the token, without the user.
pub(crate) fn token(connection: &Connection) -> String {
    match (connection.tokens.expires_at, &connection.tokens.refresh) {
        _ if connection.status.needs_user() => "Ended".to_owned(),
        (None, _) => "Does not expire".to_owned(),
        (Some(at), Some(_)) => format!("Until {}, then renewed by itself", clock(at)),
        (Some(at), None) => format!("Until {}, then reconnect", clock(at)),
    }
}

/// The levels that a service has features for, lowest first.
pub(crate) fn levels(info: &ServiceInfo) -> Vec<Level> {
    let mut levels: Vec<_> = info.features.iter().map(|feature| feature.level).collect();
    levels.push(Level::Read);
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// A level's value in a form, and its name on the page.
pub(crate) const fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Read => ("read", "Read only"),
        Level::Write => ("write", "Read and write"),
        Level::Push => ("push", "Read, and hear of changes at once"),
    }
}

/// The level of a form's value; the least for one that is none.
pub(crate) fn level_of(value: &str) -> Level {
    let all = [Level::Read, Level::Write, Level::Push];
    all.into_iter().find(|one| level(*one).0 == value).unwrap_or_default()
}

/// A feature's name, as words.
pub(crate) fn feature(name: &str) -> String {
    name.replace('_', " ")
}

/// A time, for people.
pub(crate) fn clock(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// How long ago that was, about.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - at).num_minutes();
    let (count, unit) = match minutes {
        ..=0 => return "just now".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{} ago", counted(count.unsigned_abs(), unit))
}

/// `1 event`, `2 events`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
