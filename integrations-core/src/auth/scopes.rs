//! What has to be granted for what?

use serde::Serialize;

/// How deep a service is used. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Read and sync.
    #[default]
    Read,
    /// Write back, too.
    Write,
    /// Hear of changes at once, too.
    Push,
}

/// Something that a service offers, and the scopes that it needs. A feature without scopes needs no
/// grant of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Feature {
    /// The name, e.g. `events`.
    pub name: &'static str,
    /// The level that it belongs to.
    pub level: Level,
    /// What is asked for: the least that will do.
    pub scopes: &'static [&'static str],
    /// Other sets of scopes that will do as well: broader ones, or those of an older app.
    pub instead: &'static [&'static [&'static str]],
}

impl Feature {
    /// A feature that needs all of these scopes.
    pub const fn new(name: &'static str, level: Level, scopes: &'static [&'static str]) -> Self {
        Self { name, level, scopes, instead: &[] }
    }

    /// Names other sets of scopes that will do as well.
    pub const fn or(mut self, instead: &'static [&'static [&'static str]]) -> Self {
        self.instead = instead;
        self
    }

    /// Whether these scopes are enough for it.
    pub fn is_granted(&self, granted: &[String]) -> bool {
        let all = |set: &[&str]| set.iter().all(|scope| granted.iter().any(|given| given == scope));
        all(self.scopes) || self.instead.iter().any(|set| all(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_granted_by_its_scopes_or_by_broader_ones() {
        const EVENTS: Feature = Feature::new("events", Level::Read, &["list", "read"]).or(&[&["all"]]);
        let granted =
            |scopes: &[&str]| EVENTS.is_granted(&scopes.iter().map(|&s| s.to_owned()).collect::<Vec<_>>());
        assert!(granted(&["list", "read", "more"]) && granted(&["all"]));
        assert!(!granted(&["list"]) && !granted(&[]) && !granted(&["listread"]));
        assert!(Feature::new("free", Level::Read, &[]).is_granted(&[]));
    }
}
