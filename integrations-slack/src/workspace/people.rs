//! How does a user of Slack's become a person of the model?

use chrono::{DateTime, Utc};
use integrations_core::json;
use integrations_core::model::{Person, PersonKind, PersonStatus, Presence, Raw, Record, Source, Zone};
use integrations_core::normalize::{ItemContext, ItemError};

use super::wire::{WireProfile, WireUser, filled};

/// Slack's own, which does not say that it is a program.
const SLACKBOT: &str = "USLACKBOT";

pub(super) fn record(item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    let mut wire: WireUser = json::decode_item(item.as_bytes())?;
    let profile = wire.profile.take();
    let mut person = Person::new(std::mem::take(&mut wire.id));
    person.kind = kind(&wire, &person.id);
    person.status = match (wire.deleted, wire.is_invited_user) {
        (true, _) => PersonStatus::Deactivated,
        (false, true) => PersonStatus::Invited,
        (false, false) => PersonStatus::Active,
    };
    person.is_admin = wire.is_admin || wire.is_owner || wire.is_primary_owner;
    person.organization_id = filled(wire.team_id);
    person.login = filled(wire.name);
    person.full_name = filled(wire.real_name);
    person.time_zone = filled(wire.tz).map(|name| Zone::from_name(&name));
    person.locale = filled(wire.locale);
    person.updated_at = wire.updated.and_then(seconds);
    if let Some(profile) = profile {
        says_of_themselves(&mut person, profile);
    }
    if person.name.is_none() {
        person.name = person.full_name.clone().or_else(|| person.login.clone());
    }
    let source = Source {
        service: context.stream.service.clone(),
        id: person.id.clone(),
        version: None,
        link: None,
        modified_at: person.updated_at,
    };
    Ok(Record { entity: person.into(), source, raw: item.clone() })
}

fn kind(wire: &WireUser, id: &str) -> PersonKind {
    if wire.is_bot || wire.is_workflow_bot || wire.is_connector_bot || id == SLACKBOT {
        PersonKind::Bot
    } else if wire.is_stranger {
        PersonKind::External
    } else if wire.is_restricted || wire.is_ultra_restricted {
        PersonKind::Guest
    } else {
        PersonKind::Member
    }
}

fn says_of_themselves(person: &mut Person, profile: WireProfile) {
    person.name = filled(profile.display_name);
    person.full_name = person.full_name.take().or_else(|| filled(profile.real_name));
    person.email = filled(profile.email);
    person.phone = filled(profile.phone);
    person.job_title = filled(profile.title);
    let (text, emoji) = (filled(profile.status_text), filled(profile.status_emoji));
    if text.is_some() || emoji.is_some() {
        let until = profile.status_expiration.filter(|until| *until > 0).and_then(seconds);
        person.presence = Some(Presence { text, emoji, until });
    }
    // The largest that there is.
    person.avatar_url = [
        profile.image_original,
        profile.image_1024,
        profile.image_512,
        profile.image_192,
        profile.image_72,
        profile.image_48,
    ]
    .into_iter()
    .find_map(filled);
}

/// An instant that Slack counts in seconds.
pub(super) fn seconds(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}
