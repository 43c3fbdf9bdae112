//! What do the cases store?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use integrations_core::auth::{Sealed, SealedTokens};
use integrations_core::connection::{Account, Connection, ConnectionStatus, GrantType, Owner, StreamId};
use integrations_core::model::{
    Change, Entity, Event, EventTime, PersonRef, Raw, Record, Series, Source, ZonedTime,
};
use integrations_core::normalize::Quarantined;
use integrations_core::sync::StreamKey;

const SERVICE: &str = "google_calendar";

/// The time of the samples: 2026-03-01, 09:00 UTC.
pub(super) fn time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_355_600, 0).unwrap_or_default()
}

/// A connection with this id, of this user, that has not been stored yet.
pub fn connection(id: &str, owner: impl Into<Owner>) -> Connection {
    Connection {
        id: id.into(),
        owner: owner.into(),
        service: SERVICE.into(),
        account: Account {
            id: format!("account-of-{id}").into(),
            email: Some("ada@example.com".into()),
            name: None,
        },
        status: ConnectionStatus::Active,
        scopes: vec!["calendar.readonly".into(), "openid".into()],
        tokens: SealedTokens {
            access: Sealed::from_stored("v1.test.YWNjZXNz"),
            refresh: Some(Sealed::from_stored("v1.test.cmVmcmVzaA")),
            issued_at: time(),
            expires_at: Some(time() + chrono::TimeDelta::hours(1)),
        },
        grant: GrantType::User,
        refreshing_since: None,
        version: 0,
        created_at: time(),
        updated_at: time(),
    }
}

/// A stream of a connection.
pub fn stream(connection_id: &str, stream_id: &str) -> StreamKey {
    StreamKey::new(&connection(connection_id, "ada"), &StreamId::new(stream_id))
}

/// A record of an event with this id.
pub fn record(id: &str) -> Record {
    let mut event = Event::new(id, "primary", start());
    event.title = Some(format!("Meeting {id}"));
    event.end =
        Some(EventTime::At(ZonedTime::in_iana(time() + chrono::TimeDelta::hours(1), Tz::Europe__Berlin)));
    event.organizer = Some(PersonRef::email("ada@example.com"));
    of_event(event)
}

/// A record of an exception with this id, of the series with that id.
pub fn exception(id: &str, series: &str) -> Record {
    let mut event = Event::new(id, "primary", start());
    event.series = Some(Series { id: series.into(), original_start: start() });
    of_event(event)
}

/// The change that stores a record of an event with this id.
pub fn upsert(id: &str) -> Change {
    Change::Upsert(record(id))
}

/// The change that deletes the record with this id.
pub fn deletion(id: &str) -> Change {
    Change::Delete { id: id.into() }
}

/// An item that could not be read, but for its id perhaps.
pub fn quarantined(id: Option<&str>) -> Quarantined {
    Quarantined {
        id: id.map(str::to_owned),
        stage: "map",
        path: "$.start".into(),
        reason: "missing field `dateTime`".into(),
        raw: Raw::new(&br#"{"start":{}}"#[..]),
    }
}

fn start() -> EventTime {
    EventTime::At(ZonedTime::in_iana(time(), Tz::Europe__Berlin))
}

fn of_event(event: Event) -> Record {
    let raw = format!("{{ \"id\" : {:?} }}", event.id);
    Record {
        source: Source {
            service: SERVICE.into(),
            id: event.id.clone(),
            version: Some("\"3391\"".into()),
            link: Some("https://calendar.example.com/event?eid=1".to_owned()),
            modified_at: Some(time()),
        },
        entity: Entity::Event(Box::new(event)),
        raw: Raw::new(raw),
    }
}
