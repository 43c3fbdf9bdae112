//! Who is it, in the words of the model?

use integrations_core::model::PersonRef;

use super::graphql::WireActor;
use super::wire::{WireTeam, WireUser, filled};

/// Somebody, by the number that stays when they rename themselves, and the name that they are mentioned by.
/// Nobody, where neither is there: GitHub writes null for somebody whose account is gone.
pub(super) fn person(wire: WireUser<'_>) -> Option<PersonRef> {
    let (id, name) = (wire.id.map(|id| id.0), filled(wire.login));
    let is_bot = wire.kind.as_deref() == Some("Bot");
    (id.is_some() || name.is_some()).then(|| PersonRef {
        id,
        name,
        is_bot,
        email: filled(wire.email),
        ..PersonRef::default()
    })
}

/// A team. Its number is of another count than the users', and marked as such.
pub(super) fn team(wire: WireTeam) -> Option<PersonRef> {
    let (id, name) = (wire.id.map(|id| ["team:", &id.0].concat()), filled(wire.name).or(filled(wire.slug)));
    (id.is_some() || name.is_some()).then(|| PersonRef { id, name, ..PersonRef::default() })
}

/// Somebody, or a team, as GraphQL has them.
pub(super) fn actor(wire: WireActor<'_>) -> Option<PersonRef> {
    let WireActor { kind, login, database_id: id, name, slug } = wire;
    if kind.as_deref() == Some("Team") {
        return team(WireTeam { id, name, slug });
    }
    // REST has the names of programs with this ending, GraphQL without.
    let login = match login {
        Some(login) if kind.as_deref() == Some("Bot") && !login.ends_with("[bot]") => Some(login + "[bot]"),
        login => login,
    };
    person(WireUser { id, login, kind, email: None })
}
