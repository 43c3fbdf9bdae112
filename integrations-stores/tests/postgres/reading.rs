//! Does a host read back what was stored, and nothing else?

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::connection::Owner;
use integrations_core::model::{
    Attendee, Change, Entity, Event, EventTime, Person, PersonRef, Raw, Record, RecordKind, Series, Source,
    Zone, ZonedTime,
};
use integrations_core::sync::{Commit, StreamKey, SyncSink};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::{RecordCursor, RecordQuery};
use integrations_testkit::conformance::{record, stream};

use crate::{Schema, commit};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn instant(text: &str) -> EventTime {
    EventTime::At(ZonedTime::new(DateTime::parse_from_rfc3339(text).unwrap(), Zone::Offset))
}

fn event(id: &str, start: &str, end: Option<&str>) -> Event {
    let mut event = Event::new(id, "primary", instant(start));
    event.end = end.map(instant);
    event
}

fn of(event: Event) -> Record {
    Record {
        source: Source { id: event.id.clone(), ..record("x").source },
        entity: Entity::Event(Box::new(event)),
        raw: Raw::new(&b"{}"[..]),
    }
}

async fn put(store: &PostgresStore, stream: &StreamKey, records: Vec<Record>) {
    let revision = store.load(stream).await.unwrap().revision;
    let changes = records.into_iter().map(Change::Upsert).collect();
    store.commit(Commit { changes, ..commit(stream, revision, &[]) }).await.unwrap();
}

async fn ids(store: &PostgresStore, query: RecordQuery) -> Vec<String> {
    let records = store.records(&query).await.unwrap();
    assert_eq!(store.count(&query).await.unwrap(), records.len() as u64);
    records.iter().map(|record| record.id().to_owned()).collect()
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_record_comes_back_equal_to_the_byte() {
    let schema = Schema::new();
    let store = schema.store().await;
    let stream = stream("cn_1", "primary");
    let mut full = event("é'\"%\\", "2026-03-29T01:59:59.123456+01:00", Some("2026-03-29T03:00:00+02:00"));
    full.title = Some("\u{1F4C5} \"quoted\" \\ \n\t\u{0}".into());
    full.description = Some("<b>bold</b>".into());
    full.recurrence.push_line("RRULE:FREQ=WEEKLY;BYDAY=MO".into());
    full.series = Some(Series { id: "master".into(), original_start: instant("2026-03-29T01:00:00Z") });
    full.attendees = vec![Attendee::new(PersonRef::email("bob@example.com"))];
    full.kind = "a word of tomorrow".into();
    full.status = "cancelled".into();
    let mut day = event("day", "2026-03-29T00:00:00Z", None);
    day.start = EventTime::day("2026-03-29".parse().unwrap());
    let mut distant = of(event("distant", "9999-12-31T23:59:59Z", Some("0001-01-01T00:00:00Z")));
    distant.source.service = "another_service".into();
    let mut bare = of(event("bare", "1969-12-31T23:59:59.999999Z", None));
    bare.source = Source { version: None, link: None, modified_at: None, ..bare.source };
    bare.raw = Raw::new(&b"\x00\xff\xfe not { text"[..]);
    let mut odd = of(full);
    odd.raw = Raw::new("{\n  \"a\" : 1.0e+2, \"\u{e9}\":\"\\u00e9\" ,\"a\":2}\r\n");
    odd.source.modified_at = Some(at("2026-03-01T09:00:00.123456Z"));
    let records = vec![odd, of(day), distant, bare];
    put(&store, &stream, records.clone()).await;
    for record in &records {
        let stored = store.record(&stream, record.id()).await.unwrap().unwrap();
        assert_eq!(stored.stream, stream);
        let back = Record { entity: stored.entity, source: stored.source, raw: stored.raw };
        assert_eq!(back, *record);
        assert_eq!(back.raw.as_bytes(), record.raw.as_bytes());
    }
    assert_eq!(store.records(&RecordQuery::new()).await.unwrap().len(), records.len());
    assert_eq!(store.record(&stream, "unknown").await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn queries_narrow_by_where_a_record_belongs() {
    let schema = Schema::new();
    let store = schema.store().await;
    let key = |tenant: &str, user: &str, service: &str, connection: &str, name: &str| StreamKey {
        owner: Owner::new(tenant, user),
        service: service.into(),
        connection: connection.into(),
        stream: name.into(),
    };
    for (id, key) in [
        ("1", key("default", "ada", "google_calendar", "cn_1", "primary")),
        ("2", key("default", "ada", "google_calendar", "cn_1", "work")),
        ("3", key("default", "ada", "outlook_calendar", "cn_2", "primary")),
        ("4", key("default", "bob", "google_calendar", "cn_3", "primary")),
        ("5", key("acme", "ada", "google_calendar", "cn_4", "primary")),
    ] {
        put(&store, &key, vec![record(id)]).await;
    }
    let query = RecordQuery::new;
    assert_eq!(ids(&store, query()).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(ids(&store, query().owner("ada")).await, ["1", "2", "3"]);
    assert_eq!(ids(&store, query().owner(Owner::new("acme", "ada"))).await, ["5"]);
    assert_eq!(ids(&store, query().connection("cn_1")).await, ["1", "2"]);
    assert_eq!(ids(&store, query().connection("cn_1").stream("work")).await, ["2"]);
    assert_eq!(ids(&store, query().owner("ada").service("google_calendar")).await, ["1", "2"]);
    assert_eq!(ids(&store, query().owner("bob").kind(RecordKind::Event)).await, ["4"]);
    assert_eq!(ids(&store, query().owner("eve")).await, <[&str; 0]>::default());
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn queries_narrow_by_time() {
    let schema = Schema::new();
    let store = schema.store().await;
    let mut weekly = event("weekly", "2026-01-05T09:00:00Z", Some("2026-01-05T10:00:00Z"));
    weekly.recurrence.push_line("RRULE:FREQ=WEEKLY".into());
    let mut moved = event("moved", "2026-03-04T09:00:00Z", Some("2026-03-04T10:00:00Z"));
    moved.series = Some(Series { id: "weekly".into(), original_start: instant("2026-03-02T09:00:00Z") });
    let records = vec![
        event("before", "2026-03-01T08:00:00Z", Some("2026-03-01T23:59:59Z")),
        event("until", "2026-03-01T20:00:00Z", Some("2026-03-02T00:00:00Z")),
        event("long", "2025-06-01T00:00:00Z", Some("2026-06-01T00:00:00Z")),
        event("point", "2026-03-02T00:00:00Z", None),
        event("inside", "2026-03-03T09:00:00+02:00", Some("2026-03-03T10:00:00+02:00")),
        event("last", "2026-03-08T23:59:59Z", Some("2026-03-09T01:00:00Z")),
        event("after", "2026-03-09T00:00:00Z", Some("2026-03-09T01:00:00Z")),
        weekly,
        moved,
    ];
    put(&store, &stream("cn_1", "primary"), records.into_iter().map(of).collect()).await;
    let query = || RecordQuery::new().owner("ada");
    let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"));
    let window = query().overlapping(from, to);
    assert_eq!(ids(&store, window).await, ["long", "until", "point", "inside", "moved", "last"]);
    assert_eq!(ids(&store, query().starting(from..to)).await, ["point", "inside", "moved", "last"]);
    assert_eq!(ids(&store, query().recurring(true)).await, ["weekly"]);
    assert_eq!(ids(&store, query().recurring(false)).await.len(), 8);
    assert_eq!(ids(&store, query().parent("weekly")).await, ["moved"]);
    assert_eq!(ids(&store, query().exceptions(true)).await, ["moved"]);
    assert_eq!(ids(&store, query().exceptions(false)).await.len(), 8);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn queries_narrow_by_the_time_of_the_change() {
    let schema = Schema::new();
    let store = schema.store().await;
    let changed = |id: &str, modified_at| {
        let mut record = record(id);
        record.source.modified_at = modified_at;
        record
    };
    let time = at("2026-03-01T09:00:00.000001Z");
    let records = vec![
        changed("old", Some(time - TimeDelta::microseconds(1))),
        changed("now", Some(time)),
        changed("new", Some(time + TimeDelta::days(1))),
        changed("unknown", None),
    ];
    put(&store, &stream("cn_1", "primary"), records).await;
    assert_eq!(ids(&store, RecordQuery::new().updated_since(time)).await, ["new", "now"]);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn pages_give_each_record_once_and_in_order() {
    let schema = Schema::new();
    let store = schema.store().await;
    let epoch = at("2026-03-01T00:00:00Z");
    let mut expected = Vec::new();
    for (index, stream) in (0..).zip([stream("cn_1", "a"), stream("cn_1", "b"), stream("cn_2", "a")]) {
        let records = (0..100_i32).map(|number| {
            // Scattered over three years, many at the same time, some without an end, some before 1970.
            let start = epoch + TimeDelta::days(i64::from(number * 7919 % 23) * 50 - i64::from(index) * 9000);
            let mut event = event(&format!("{index}-{number}"), "2026-03-01T00:00:00Z", None);
            event.start = EventTime::At(ZonedTime::new(start.fixed_offset(), Zone::Offset));
            if number % 3 != 0 {
                let end = start + TimeDelta::hours(i64::from(number % 4));
                event.end = Some(EventTime::At(ZonedTime::new(end.fixed_offset(), Zone::Offset)));
            }
            let end = event.end.as_ref().map_or(start, EventTime::earliest_utc);
            // Within a commit, the ids are in order.
            expected.push((start, end, index, event.id.clone()));
            of(event)
        });
        put(&store, &stream, records.collect()).await;
    }
    expected.sort();
    let mut expected: Vec<String> = expected.into_iter().map(|(.., id)| id).collect();
    // People have no time: they come first, and are left out where the order is the other way round.
    let people = ["0-p", "1-p", "2-p"].map(|id| {
        let source = Source { id: id.into(), ..of(event(id, "2026-03-01T00:00:00Z", None)).source };
        Record { entity: Person::new(id).into(), source, raw: Raw::new("{}") }
    });
    put(&store, &stream("cn_3", "users"), people.to_vec()).await;
    expected.splice(0..0, people.map(|person| person.id().to_owned()));
    assert_eq!(expected.len(), 303);
    for (size, newest_first) in
        [1, 7, 100, 300, 304].into_iter().flat_map(|size| [(size, false), (size, true)])
    {
        let mut query = RecordQuery::new().owner("ada").limit(size);
        if newest_first {
            query = query.newest_first();
        }
        let mut read = Vec::new();
        loop {
            let page = store.records(&query).await.unwrap();
            assert!(page.len() <= size as usize);
            let Some(last) = page.last() else { break };
            query = query.after(stored_cursor(last.cursor()));
            read.extend(page.iter().map(|record| record.id().to_owned()));
        }
        if newest_first {
            read.reverse();
            assert_eq!(read, expected[3..], "in pages of {size}, newest first");
            assert_eq!(store.count(&RecordQuery::new().newest_first()).await.unwrap(), 300);
        } else {
            assert_eq!(read, expected, "in pages of {size}");
        }
    }
    assert_eq!(store.count(&RecordQuery::new().limit(5)).await.unwrap(), 303, "the limit does not count");
}

/// As a host does that hands the cursor to a client.
fn stored_cursor(cursor: RecordCursor) -> RecordCursor {
    serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap()
}
