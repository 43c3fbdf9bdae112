//! Which events and meetings are one real meeting, and which only look like it?

use std::cell::RefCell;
use std::collections::HashSet;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{America, Europe, Tz, UTC};
use integrations_core::model::identity::{
    Clues, Confidence, Difference, MeetingLink, Pair, Scope, Tie, TimeFit, Verdict, link, link_events,
    link_meetings,
};
use integrations_core::model::{
    Attendee, Conference, ConferenceEntry, Event, EventStatus, EventTime, Meeting, MeetingKind,
    MeetingOccurrence, MeetingStatus, PersonRef, Series, ZonedTime,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use Confidence::{Certain, Likely, Possible};
use Scope::{Occurrence, Whole};
use Tie::{SameJoinUrl, SameTimeAndPeople, SameTimeAndTitle, SameUid};

const ZOOM: &str = "https://acme.zoom.us/j/91234567890?pwd=x";
const ROOM: &str = "https://acme.zoom.us/my/ada.lovelace";
const TEAMS: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_Nz%40thread.v2/0?context=%7b%7d";

/// A UID of Exchange, with the day of an occurrence in it, or none: `00000000`.
fn exchange_uid(day: &str) -> String {
    format!(
        "040000008200E00074C5B7101A82E008{day}5025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B"
    )
}

fn instant(local: &str, zone: Tz) -> DateTime<Utc> {
    let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
    zone.from_local_datetime(&local).unwrap().to_utc()
}

/// A time on the clocks of Berlin.
fn at(local: &str) -> EventTime {
    EventTime::At(ZonedTime::in_iana(instant(local, Europe::Berlin), Europe::Berlin))
}

/// The same instant, as a service gives it that knows no zone.
fn utc(time: &EventTime) -> EventTime {
    EventTime::At(ZonedTime::in_iana(time.earliest_utc(), UTC))
}

fn later(time: &EventTime, minutes: i64) -> EventTime {
    EventTime::At(ZonedTime::in_iana(time.earliest_utc() + TimeDelta::minutes(minutes), Europe::Berlin))
}

fn day(day: &str) -> EventTime {
    EventTime::day(day.parse().unwrap())
}

/// An event of half an hour, or of a day.
fn event(start: EventTime) -> Event {
    let end = (!start.is_all_day()).then(|| later(&start, 30));
    let mut event = Event::new("e", "c", start);
    event.end = end;
    event
}

#[allow(clippy::needless_pass_by_value, reason = "the tests read better so")]
fn meeting(start: Option<EventTime>) -> Meeting {
    let mut meeting = Meeting::new("91234567890", MeetingKind::Scheduled);
    meeting.join_url = Some("https://us02web.zoom.us/j/91234567890".into());
    meeting.end = start.as_ref().map(|start| later(start, 30));
    meeting.start = start.as_ref().map(utc);
    meeting
}

/// The way that many events are made: changed a bit from others.
fn with<T>(mut item: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut item);
    item
}

fn of_series(start: EventTime, original_start: EventTime) -> Event {
    with(event(start), |event| event.series = Some(Series { id: "m".into(), original_start }))
}

fn compare(one: &Clues, other: &Clues) -> Verdict {
    let verdict = one.compare(other);
    assert_eq!(other.compare(one), verdict, "the answer depends on who is asked");
    verdict
}

#[track_caller]
fn same(one: impl Into<Clues>, other: impl Into<Clues>, expected: (Tie, Confidence, Scope)) -> MeetingLink {
    match compare(&one.into(), &other.into()) {
        Verdict::Same(link) => {
            assert_eq!((link.tie, link.confidence, link.scope), expected, "{:?}", link.evidence);
            link
        }
        Verdict::Different(why) => panic!("{why:?}, but {expected:?} was expected"),
    }
}

#[track_caller]
fn different(one: impl Into<Clues>, other: impl Into<Clues>, expected: Difference) {
    assert_eq!(compare(&one.into(), &other.into()), Verdict::Different(expected));
}

mod by_uid {
    use super::*;

    fn google(start: &str, original: &str) -> Event {
        with(of_series(at(start), at(original)), |event| {
            event.ical_uid = Some(exchange_uid("00000000").to_lowercase());
        })
    }

    /// As Microsoft Graph gives it: another UID for each occurrence, and the time in UTC.
    fn outlook(start: &str, original: &str, day: &str) -> Event {
        with(of_series(utc(&at(start)), utc(&at(original))), |event| event.ical_uid = Some(exchange_uid(day)))
    }

    #[test]
    fn an_occurrence_is_the_same_in_every_calendar_and_no_other() {
        let one = google("2026-03-23 09:00", "2026-03-23 09:00");
        let other = outlook("2026-03-23 09:00", "2026-03-23 09:00", "07EA0317");
        same(&one, &other, (SameUid, Certain, Whole));
        // Moved in one calendar, and not yet in the other.
        let moved = outlook("2026-03-24 15:00", "2026-03-23 09:00", "07EA0317");
        let link = same(&one, &moved, (SameUid, Certain, Whole));
        assert_eq!(link.evidence.time, TimeFit::OriginalStart);
        // A week later summer time has begun: the same clock, another instant, and another occurrence.
        let next = outlook("2026-03-30 09:00", "2026-03-30 09:00", "07EA031E");
        different(&one, &next, Difference::OtherOccurrence);
        // The next one was moved to where this one is.
        let onto = outlook("2026-03-23 09:00", "2026-03-30 09:00", "07EA031E");
        different(&one, &onto, Difference::OtherOccurrence);
    }

    #[test]
    fn a_series_has_occurrences() {
        let master = |uid: &str, start| {
            with(event(start), |event| {
                event.ical_uid = Some(uid.to_owned());
                event.recurrence.push_line("RRULE:FREQ=WEEKLY".into());
            })
        };
        let series = master(&exchange_uid("00000000"), at("2026-03-02 09:00"));
        let also = master(&exchange_uid("00000000").to_lowercase(), utc(&at("2026-03-02 09:00")));
        same(&series, &also, (SameUid, Certain, Whole));
        same(&series, &google("2026-03-24 15:00", "2026-03-23 09:00"), (SameUid, Certain, Occurrence));
        let split = master("abc_R20260302T080000@google.com", at("2026-03-02 09:00"));
        different(&split, &master("abc@google.com", at("2026-03-02 09:00")), Difference::NothingInCommon);
    }

    #[test]
    fn days_are_occurrences_too() {
        let all_day = |original| {
            with(of_series(original, day("2026-03-29")), |event| {
                event.ical_uid = Some("u".into());
                event.series.as_mut().unwrap().original_start = event.start.clone();
            })
        };
        same(&all_day(day("2026-03-29")), &all_day(day("2026-03-29")), (SameUid, Certain, Whole));
        different(&all_day(day("2026-03-29")), &all_day(day("2026-03-30")), Difference::OtherOccurrence);
        // A calendar that knows no days.
        same(&all_day(day("2026-03-29")), &all_day(at("2026-03-29 00:00")), (SameUid, Likely, Whole));
        different(&all_day(day("2026-03-29")), &all_day(at("2026-03-28 23:59")), Difference::OtherOccurrence);
    }

    #[test]
    fn a_guest_of_one_occurrence_has_that_one() {
        let guest = |start, uid: &str| with(event(at(start)), |event| event.ical_uid = Some(uid.to_owned()));
        let occurrence = google("2026-03-24 15:00", "2026-03-23 09:00");
        let known_day = |start, day| guest(start, &exchange_uid(day));
        same(&occurrence, &known_day("2026-03-24 15:00", "07EA0317"), (SameUid, Likely, Whole));
        different(&occurrence, &known_day("2026-03-24 15:00", "07EA031E"), Difference::OtherOccurrence);
        same(&occurrence, &known_day("2026-03-24 15:00", "00000000"), (SameUid, Likely, Whole));
        same(&occurrence, &known_day("2026-03-23 09:00", "00000000"), (SameUid, Likely, Whole));
        different(&occurrence, &known_day("2026-03-30 09:00", "00000000"), Difference::OtherOccurrence);
        let (one, other) =
            (known_day("2026-03-23 09:00", "07EA0317"), known_day("2026-03-30 09:00", "07EA031E"));
        same(&one, &one, (SameUid, Certain, Whole));
        different(&one, &other, Difference::OtherOccurrence);
        same(&one, &known_day("2026-03-23 09:00", "00000000"), (SameUid, Likely, Whole));
        different(&other, &known_day("2026-03-23 09:00", "00000000"), Difference::OtherOccurrence);
    }

    #[test]
    fn the_case_of_a_uid_a_cancellation_and_a_forwarding_change_nothing() {
        let one = with(event(at("2026-03-23 09:00")), |event| {
            event.ical_uid = Some("0B5A-Uid@Example.com".into());
            event.title = Some("Planning".into());
            event.organizer = Some(PersonRef::email("ada@example.com"));
            event.attendees = vec![Attendee::new(PersonRef::email("bob@example.com"))];
        });
        let forwarded = with(one.clone(), |event| {
            event.ical_uid = Some("0b5a-uid@example.com".into());
            event.title = Some("FW:  planning ".into());
            event.attendees = vec![Attendee::new(PersonRef::email("carol@example.org"))];
        });
        let link = same(&one, &forwarded, (SameUid, Certain, Whole));
        assert_eq!((link.evidence.same_title, link.evidence.same_host), (Some(true), true));
        let cancelled = with(forwarded, |event| event.status = EventStatus::Cancelled);
        assert!(same(&one, &cancelled, (SameUid, Certain, Whole)).evidence.one_cancelled);
    }

    #[test]
    fn a_uid_that_a_program_gives_to_everything_is_doubted() {
        let event = |start, title: &str| {
            with(event(at(start)), |event| {
                event.ical_uid = Some("1".into());
                event.title = Some(title.to_owned());
            })
        };
        let one = event("2026-03-23 09:00", "Planning");
        same(&one, &event("2026-03-23 09:05", "Lunch"), (SameUid, Certain, Whole));
        same(&one, &event("2026-03-24 09:00", "Planning"), (SameUid, Likely, Whole));
        same(&one, &event("2026-03-24 12:00", "Lunch"), (SameUid, Possible, Whole));
    }
}

mod by_join_url {
    use super::*;

    fn in_text(start: &str) -> Event {
        with(event(at(start)), |event| {
            event.description = Some(format!("<p>Join <a href=\"{ZOOM}\">here</a></p>"));
        })
    }

    fn stated(start: &str) -> Event {
        with(event(at(start)), |event| event.location = Some(ZOOM.into()))
    }

    fn invited_by(mut event: Event, host: &str) -> Event {
        event.organizer = Some(PersonRef::email(host));
        event
    }

    fn hosted_by(mut meeting: Meeting, host: &str) -> Meeting {
        meeting.host = Some(PersonRef::email(host));
        meeting
    }

    #[test]
    fn a_way_in_counts_more_where_it_is_stated() {
        let meeting = meeting(Some(at("2026-03-23 09:00")));
        same(&stated("2026-03-23 09:00"), &meeting, (SameJoinUrl, Certain, Whole));
        same(&in_text("2026-03-23 09:00"), &meeting, (SameJoinUrl, Likely, Whole));
        let (event, hosted) = (
            invited_by(in_text("2026-03-23 09:00"), "Ada@Example.com"),
            hosted_by(meeting, "ada@example.com"),
        );
        let link = same(&event, &hosted, (SameJoinUrl, Certain, Whole));
        assert_eq!(link.evidence.join_key.unwrap().as_str(), "zoom:91234567890");
        let added = with(in_text("2026-03-23 09:00"), |event| {
            // What a calendar adds by itself, beside where people really meet.
            let entry = |kind: &str, uri: &str| ConferenceEntry {
                kind: kind.into(),
                uri: uri.into(),
                label: None,
                code: None,
            };
            let entries =
                vec![entry("video", "https://meet.google.com/abc-defg-hij"), entry("phone", "tel:+49-30-1")];
            event.conference = Some(Conference { entries, ..Conference::default() });
        });
        same(&added, &hosted, (SameJoinUrl, Likely, Whole));
    }

    #[test]
    fn one_number_at_another_time_is_another_meeting() {
        let meeting = meeting(Some(at("2026-03-23 09:00")));
        for start in ["2026-03-30 09:00", "2026-03-23 08:30", "2026-03-23 09:30", "2026-03-24 09:00"] {
            different(&stated(start), &meeting, Difference::SameJoinUrlAtAnotherTime);
        }
        // A text that somebody has pasted into another invitation.
        let pasted = with(in_text("2026-04-01 09:00"), |event| event.title = Some("Planning".into()));
        let planning = with(meeting.clone(), |meeting| meeting.title = Some("Planning".into()));
        different(&pasted, &planning, Difference::SameJoinUrlAtAnotherTime);
        same(&stated("2026-03-23 09:15"), &meeting, (SameJoinUrl, Certain, Whole));
        let link = same(&stated("2026-03-23 09:20"), &meeting, (SameJoinUrl, Possible, Whole));
        assert_eq!(link.evidence.time, TimeFit::Overlapping);
    }

    #[test]
    fn what_was_held_is_what_was_planned() {
        let held = |start: &str, minutes| {
            with(meeting(None), |meeting| {
                // A past meeting has a number, and no address.
                (meeting.join_url, meeting.code) = (None, Some("912 3456 7890".into()));
                meeting.session_id = Some("4444AAAiAAAAAiAiAiiAii==".into());
                meeting.kind = MeetingKind::Recurring;
                meeting.status = MeetingStatus::Ended;
                meeting.start = Some(utc(&at(start)));
                meeting.end = Some(later(&at(start), minutes));
            })
        };
        same(&stated("2026-03-23 09:00"), &held("2026-03-23 08:52", 41), (SameJoinUrl, Certain, Whole));
        // Somebody has tried the microphone.
        different(
            &stated("2026-03-23 09:00"),
            &held("2026-03-23 08:50", 3),
            Difference::SameJoinUrlAtAnotherTime,
        );
        different(
            &stated("2026-03-23 09:00"),
            &held("2026-03-30 08:52", 41),
            Difference::SameJoinUrlAtAnotherTime,
        );
        let master =
            with(stated("2026-03-02 09:00"), |event| event.recurrence.push_line("RRULE:FREQ=WEEKLY".into()));
        same(&master, &held("2026-03-23 08:52", 41), (SameJoinUrl, Possible, Occurrence));
        let occurrence = Clues::of_occurrence(
            &master,
            &at("2026-03-23 09:00"),
            &at("2026-03-23 09:00"),
            Some(&at("2026-03-23 09:30")),
        );
        same(occurrence, &held("2026-03-23 08:52", 41), (SameJoinUrl, Certain, Whole));
    }

    #[test]
    fn a_series_of_the_service_is_all_of_its_times_and_no_others() {
        let series = with(meeting(Some(at("2026-03-23 09:00"))), |meeting| {
            meeting.kind = MeetingKind::Recurring;
            meeting.recurrence.push_line("RRULE:FREQ=WEEKLY;COUNT=3".into());
            meeting.occurrences = ["2026-03-23 09:00", "2026-03-30 09:00", "2026-04-06 09:00"]
                .map(|start| MeetingOccurrence {
                    id: start.to_owned(),
                    start: utc(&at(start)),
                    end: Some(later(&at(start), 30)),
                    status: MeetingStatus::Scheduled,
                })
                .to_vec();
        });
        for start in ["2026-03-23 09:00", "2026-03-30 09:00", "2026-04-06 09:00"] {
            same(&stated(start), &series, (SameJoinUrl, Certain, Occurrence));
        }
        for start in ["2026-03-24 09:00", "2026-03-30 15:00"] {
            different(&stated(start), &series, Difference::SameJoinUrlAtAnotherTime);
        }
        // The service still has it where it was.
        let moved = with(of_series(at("2026-03-31 15:00"), at("2026-03-30 09:00")), |event| {
            event.location = Some(ZOOM.into());
        });
        let link = same(&moved, &series, (SameJoinUrl, Possible, Occurrence));
        assert_eq!(link.evidence.time, TimeFit::OriginalStart);
        let master =
            |start| with(stated(start), |event| event.recurrence.push_line("RRULE:FREQ=WEEKLY".into()));
        same(&master("2026-03-23 09:00"), &series, (SameJoinUrl, Certain, Whole));
        // It began in winter, and the service lists what is to come.
        let link = same(&master("2026-01-05 09:00"), &series, (SameJoinUrl, Possible, Whole));
        assert_eq!(link.evidence.time, TimeFit::TimeOfDay);
    }

    #[test]
    fn a_time_of_day_is_that_of_the_series_zone() {
        let master =
            with(stated("2026-01-05 09:00"), |event| event.recurrence.push_line("RRULE:FREQ=DAILY".into()));
        // Nine in Berlin is 08:00 UTC in winter, and 07:00 in summer.
        for (start, fits) in
            [("2026-03-28 08:00", true), ("2026-03-29 07:00", true), ("2026-03-29 08:00", false)]
        {
            let start = EventTime::At(ZonedTime::in_iana(instant(start, UTC), America::New_York));
            let verdict = compare(&Clues::from(&master), &Clues::from(&meeting(Some(start))));
            assert_eq!(verdict.link().map(|link| link.evidence.time), fits.then_some(TimeFit::TimeOfDay));
        }
        // Before the series begins there is none of it.
        different(&master, &meeting(Some(at("2026-01-04 09:00"))), Difference::SameJoinUrlAtAnotherTime);
        // Around midnight, where the day is another.
        let late =
            with(stated("2026-01-05 23:58"), |event| event.recurrence.push_line("RRULE:FREQ=DAILY".into()));
        same(&late, &meeting(Some(at("2026-02-02 00:03"))), (SameJoinUrl, Possible, Occurrence));
    }

    #[test]
    fn a_meeting_without_a_time_may_be_any_that_has_its_number() {
        let any_time = with(meeting(None), |meeting| meeting.kind = MeetingKind::Recurring);
        let event = invited_by(stated("2026-03-23 09:00"), "ada@example.com");
        same(&event, &any_time, (SameJoinUrl, Possible, Occurrence));
        same(&event, &hosted_by(any_time.clone(), "ada@example.com"), (SameJoinUrl, Likely, Occurrence));
        let room = with(any_time, |meeting| meeting.kind = MeetingKind::Personal);
        different(&event, &hosted_by(room, "ada@example.com"), Difference::SameRoomOnly);
    }

    #[test]
    fn a_room_is_not_a_meeting() {
        let event = |start: &str, minutes, title: &str| {
            with(event(at(start)), |event| {
                event.end = Some(later(&event.start, minutes));
                event.location = Some(ROOM.into());
                event.title = Some(title.to_owned());
                event.organizer = Some(PersonRef::email("ada@example.com"));
                event.ical_uid = Some(format!("{start} {title}"));
            })
        };
        let one = event("2026-03-23 09:00", 30, "Ada and Bob");
        let copied = with(one.clone(), |event| event.ical_uid = Some("copied".into()));
        same(&one, &copied, (SameJoinUrl, Likely, Whole));
        same(&one, &event("2026-03-23 09:00", 30, "Bob and Ada"), (SameJoinUrl, Possible, Whole));
        different(&one, &event("2026-03-23 09:20", 30, "Ada and Carol"), Difference::SameRoomOnly);
        different(&one, &event("2026-03-24 09:00", 30, "Ada and Bob"), Difference::SameJoinUrlAtAnotherTime);
        // Back to back, closer to each other than two starts of one meeting may be.
        let (short, next) = (event("2026-03-23 09:00", 10, "Call"), event("2026-03-23 09:10", 10, "Call"));
        different(&short, &next, Difference::SameJoinUrlAtAnotherTime);
        // Nobody hangs up between two meetings in one room.
        let held = with(meeting(Some(at("2026-03-23 08:58"))), |meeting| {
            meeting.join_url = Some(ROOM.into());
            meeting.status = MeetingStatus::Ended;
            meeting.end = Some(at("2026-03-23 10:05"));
        });
        same(&one, &held, (SameJoinUrl, Likely, Whole));
        same(&event("2026-03-23 09:30", 30, "Ada and Carol"), &held, (SameJoinUrl, Possible, Whole));
        // A number is a room's, too, where the service says so.
        let number =
            with(meeting(Some(at("2026-03-23 09:10"))), |meeting| meeting.kind = MeetingKind::Personal);
        same(&stated("2026-03-23 09:00"), &number, (SameJoinUrl, Likely, Whole));
        different(&stated("2026-03-23 09:30"), &number, Difference::SameRoomOnly);
    }

    #[test]
    fn a_day_is_not_a_time() {
        let all_day = with(event(day("2026-03-23")), |event| event.location = Some(ZOOM.into()));
        let link = same(&all_day, &meeting(Some(at("2026-03-23 09:00"))), (SameJoinUrl, Possible, Whole));
        assert_eq!(link.evidence.time, TimeFit::WithinDay);
        different(&all_day, &meeting(Some(at("2026-03-25 09:00"))), Difference::SameJoinUrlAtAnotherTime);
        let room = with(all_day.clone(), |event| event.location = Some(ROOM.into()));
        let in_room =
            with(meeting(Some(at("2026-03-23 09:00"))), |meeting| meeting.join_url = Some(ROOM.into()));
        different(&room, &in_room, Difference::SameRoomOnly);
        same(&all_day, &all_day, (SameJoinUrl, Certain, Whole));
    }

    #[test]
    fn a_wrapped_address_leads_where_the_bare_one_does() {
        let bare = with(event(at("2026-03-23 09:00")), |event| event.location = Some(TEAMS.into()));
        let wrapped = with(event(utc(&at("2026-03-23 09:00"))), |event| {
            let inner: String = url::form_urlencoded::byte_serialize(TEAMS.as_bytes()).collect();
            event.description = Some(format!(
                "<a href=\"https://nam12.safelinks.protection.outlook.com/?url={inner}&amp;data=05\">Join</a>"
            ));
        });
        same(&bare, &wrapped, (SameJoinUrl, Likely, Whole));
    }

    #[test]
    fn what_is_cancelled_or_planned_twice_is_not_certain() {
        let meeting = meeting(Some(at("2026-03-23 09:00")));
        let cancelled = with(stated("2026-03-23 09:00"), |event| event.status = EventStatus::Cancelled);
        same(&cancelled, &meeting, (SameJoinUrl, Likely, Whole));
        let with_uid =
            |uid: &str| with(stated("2026-03-23 09:00"), |event| event.ical_uid = Some(uid.to_owned()));
        let link = same(&with_uid("a"), &with_uid("b"), (SameJoinUrl, Likely, Whole));
        assert_eq!(link.evidence.same_uid, Some(false));
    }

    #[test]
    fn a_megabyte_of_text_is_read_like_any_other() {
        let hostile = with(event(at("2026-03-23 09:00")), |event| {
            event.description = Some("https://zoom.us/j/".repeat(60_000) + " " + &"<".repeat(50_000) + ZOOM);
            event.title = Some("re:".repeat(400_000));
        });
        same(&hostile, &meeting(Some(at("2026-03-23 09:00"))), (SameJoinUrl, Likely, Whole));
    }
}

mod by_time {
    use super::*;

    fn event(start: &str, title: Option<&str>, host: Option<&str>) -> Event {
        with(super::event(at(start)), |event| {
            event.title = title.map(str::to_owned);
            event.organizer = host.map(PersonRef::email);
        })
    }

    fn meeting(title: Option<&str>, host: Option<&str>) -> Meeting {
        with(super::meeting(Some(at("2026-03-23 09:00"))), |meeting| {
            meeting.title = title.map(str::to_owned);
            meeting.host = host.map(PersonRef::email);
        })
    }

    const ADA: Option<&str> = Some("ada@example.com");
    const BOB: Option<&str> = Some("bob@example.com");
    const PLANNING: Option<&str> = Some("Planning");

    #[test]
    fn time_and_host_tie_where_the_title_does_not_differ() {
        let planning = meeting(PLANNING, ADA);
        same(
            &event("2026-03-23 09:00", Some("planning"), ADA),
            &planning,
            (SameTimeAndPeople, Likely, Whole),
        );
        same(&event("2026-03-23 09:10", PLANNING, ADA), &planning, (SameTimeAndPeople, Likely, Whole));
        same(&event("2026-03-23 09:00", None, ADA), &planning, (SameTimeAndPeople, Possible, Whole));
        for event in [
            event("2026-03-23 09:00", Some("Dentist"), ADA),
            event("2026-03-23 09:20", PLANNING, ADA),
            event("2026-03-24 09:00", PLANNING, ADA),
            event("2026-03-23 09:00", PLANNING, BOB),
            event("2026-03-23 09:00", None, BOB),
            with(event("2026-03-23 09:00", PLANNING, ADA), |event| event.status = EventStatus::Cancelled),
        ] {
            different(&event, &planning, Difference::NothingInCommon);
        }
        let elsewhere =
            with(event("2026-03-23 09:00", PLANNING, ADA), |event| event.location = Some(TEAMS.into()));
        different(&elsewhere, &planning, Difference::OtherJoinUrl);
        let (one, other) =
            (event("2026-03-23 09:00", PLANNING, ADA), event("2026-03-23 09:00", PLANNING, ADA));
        let with_uid =
            |event, uid: &str| with(event, |event: &mut Event| event.ical_uid = Some(uid.to_owned()));
        same(&one, &with_uid(other.clone(), "a"), (SameTimeAndPeople, Likely, Whole));
        different(&with_uid(one, "b"), &with_uid(other, "a"), Difference::NothingInCommon);
    }

    #[test]
    fn an_invited_host_ties_with_the_title() {
        let invited = |title, resource| {
            with(event("2026-03-23 09:00", title, BOB), |event| {
                let ada = Attendee::new(PersonRef::email("ADA@example.com"));
                event.attendees = vec![with(ada, |ada| ada.resource = resource)];
            })
        };
        same(&invited(PLANNING, false), &meeting(PLANNING, ADA), (SameTimeAndPeople, Possible, Whole));
        different(&invited(None, false), &meeting(PLANNING, ADA), Difference::NothingInCommon);
        different(&invited(PLANNING, true), &meeting(PLANNING, ADA), Difference::NothingInCommon);
    }

    #[test]
    fn time_and_title_are_a_suggestion_where_people_are_not_known() {
        same(
            &event("2026-03-23 09:00", PLANNING, None),
            &meeting(PLANNING, ADA),
            (SameTimeAndTitle, Possible, Whole),
        );
        different(
            &event("2026-03-23 09:05", PLANNING, None),
            &meeting(PLANNING, ADA),
            Difference::NothingInCommon,
        );
        different(&event("2026-03-23 09:00", None, None), &meeting(None, ADA), Difference::NothingInCommon);
        let longer =
            with(event("2026-03-23 09:00", PLANNING, None), |event| event.end = Some(at("2026-03-23 10:00")));
        different(&longer, &meeting(PLANNING, ADA), Difference::NothingInCommon);
        // An address that every event of a calendar has is nobody's.
        let calendar = Some("c_1@group.calendar.google.com");
        let link = same(
            &event("2026-03-23 09:00", PLANNING, calendar),
            &event("2026-03-23 09:00", PLANNING, calendar),
            (SameTimeAndTitle, Possible, Whole),
        );
        assert!(!link.evidence.same_host);
    }

    #[test]
    fn a_title_alone_ties_nothing() {
        for start in ["2026-03-24 09:00", "2026-03-23 09:31", "2025-03-23 09:00"] {
            different(&event(start, PLANNING, ADA), &meeting(PLANNING, ADA), Difference::NothingInCommon);
        }
    }
}

#[test]
fn lists_are_paired_and_the_stronger_tie_counts() {
    let titled = |item: Event, title: &str| {
        with(item, |event| {
            event.title = Some(title.to_owned());
            event.organizer = Some(PersonRef::email("ada@example.com"));
        })
    };
    let nine = || event(at("2026-03-23 09:00"));
    let events = [
        titled(with(nine(), |event| event.location = Some(ZOOM.into())), "Standup"),
        // At the same time, with the same host, and not the meeting that the first is.
        titled(nine(), "Standup"),
        titled(event(at("2026-03-23 11:00")), "Review"),
        event(at("2026-03-23 13:00")),
    ];
    let hosted = |start: &str, number: &str, title: &str| {
        with(meeting(Some(at(start))), |meeting| {
            meeting.join_url = Some(format!("https://zoom.us/j/{number}"));
            meeting.title = Some(title.to_owned());
            meeting.host = Some(PersonRef::email("ada@example.com"));
        })
    };
    let meetings = [
        hosted("2026-03-23 11:00", "92222222222", "Review"),
        hosted("2026-03-23 09:00", "91234567890", "Standup"),
        hosted("2026-03-24 09:00", "91234567890", "Standup"),
    ];
    let found: Vec<_> = link_meetings(&events, &meetings)
        .into_iter()
        .map(|pair| (pair.left, pair.right, pair.link.tie, pair.link.confidence))
        .collect();
    assert_eq!(found, [(0, 1, SameJoinUrl, Certain), (2, 0, SameTimeAndPeople, Likely)]);
    assert_eq!(link_events(&events, []), []);
    assert_eq!(link_meetings([], &meetings), []);
}

/// What events are made of that have much in common.
fn any_event() -> impl Strategy<Value = Clues> {
    let starts = vec![
        "2026-03-23 09:00",
        "2026-03-23 09:10",
        "2026-03-23 09:30",
        "2026-03-30 09:00",
        "2026-03-24 15:00",
    ];
    let start = || {
        prop_oneof![
            4 => proptest::sample::select(starts.clone()).prop_map(at),
            1 => Just(utc(&at("2026-03-23 09:00"))),
            1 => proptest::sample::select(vec!["2026-03-23", "2026-03-30"]).prop_map(day),
        ]
    };
    let uid = proptest::sample::select(vec![
        None,
        Some("u".to_owned()),
        Some("v".to_owned()),
        Some(exchange_uid("00000000")),
        Some(exchange_uid("07EA0317")),
        Some(exchange_uid("07EA031E")),
    ]);
    let place = proptest::sample::select(vec![
        "",
        ZOOM,
        ROOM,
        TEAMS,
        "zoom.us/j/91234567890 https://zoom.us/my/ada.lovelace",
    ]);
    let people =
        proptest::sample::subsequence(vec!["ada@example.com", "bob@example.com", "carol@example.com"], 0..=3);
    let series = prop_oneof![Just(None), start().prop_map(Some)];
    let flags = any::<[bool; 5]>();
    (start(), series, uid, [place.clone(), place], people, flags, proptest::option::of("[ab]")).prop_map(
        |(start, original, uid, [location, description], people, flags, title)| {
            let [repeats, cancelled, invites, ends, _] = flags;
            let mut event = event(start);
            event.end = event.end.filter(|_| ends);
            (event.ical_uid, event.title) = (uid, title);
            (event.location, event.description) = (Some(location.to_owned()), Some(description.to_owned()));
            if let Some(original_start) = original {
                event.series = Some(Series { id: "m".into(), original_start });
            } else if repeats {
                event.recurrence.push_line("RRULE:FREQ=WEEKLY".into());
            }
            if cancelled {
                event.status = EventStatus::Cancelled;
            }
            let mut people = people.into_iter().map(PersonRef::email);
            event.organizer = if invites { people.next() } else { None };
            event.attendees = people.map(Attendee::new).collect();
            Clues::from(&event)
        },
    )
}

fn any_meeting() -> impl Strategy<Value = Clues> {
    let starts = vec![
        "2026-03-23 08:55",
        "2026-03-23 09:00",
        "2026-03-23 09:30",
        "2026-03-30 09:00",
        "2026-04-06 09:00",
    ];
    let listed = proptest::sample::subsequence(starts.clone(), 0..3);
    let start = proptest::option::of(proptest::sample::select(starts));
    let kind =
        proptest::sample::select(vec![MeetingKind::Scheduled, MeetingKind::Recurring, MeetingKind::Personal]);
    let status = proptest::sample::select(vec![
        MeetingStatus::Scheduled,
        MeetingStatus::Ended,
        MeetingStatus::Cancelled,
    ]);
    let url =
        proptest::sample::select(vec![Some(ZOOM), Some(ROOM), Some("https://meet.example.com/x"), None]);
    let host = proptest::option::of(proptest::sample::select(vec!["ada@example.com", "bob@example.com"]));
    let uid = proptest::option::of("[uv]");
    (start, listed, kind, status, url, host, uid, proptest::option::of("[ab]")).prop_map(
        |(start, listed, kind, status, url, host, uid, title)| {
            let mut meeting = meeting(start.map(at));
            meeting.occurrences = listed
                .into_iter()
                .map(|start| MeetingOccurrence {
                    id: start.to_owned(),
                    start: at(start),
                    end: Some(later(&at(start), 30)),
                    status: MeetingStatus::Scheduled,
                })
                .collect();
            (meeting.kind, meeting.status, meeting.title, meeting.ical_uid) = (kind, status, title, uid);
            meeting.join_url = url.map(str::to_owned);
            meeting.host = host.map(PersonRef::email);
            Clues::from(&meeting)
        },
    )
}

fn any_item() -> impl Strategy<Value = Clues> {
    prop_oneof![any_event(), any_meeting()]
}

/// What linking gives that compares all with all.
fn all_with_all(left: &[Clues], right: &[Clues]) -> Vec<(usize, usize, MeetingLink)> {
    let mut links = Vec::new();
    for (left_at, one) in left.iter().enumerate() {
        for (right_at, other) in right.iter().enumerate() {
            links.extend(one.compare(other).link().map(|link| (left_at, right_at, link)));
        }
    }
    let strong: Vec<_> =
        links.iter().filter(|(.., link)| matches!(link.tie, SameUid | SameJoinUrl)).cloned().collect();
    let weaker = |link: &MeetingLink| matches!(link.tie, SameTimeAndPeople | SameTimeAndTitle);
    links.retain(|(left, right, link)| {
        !weaker(link)
            || strong.iter().all(|(other_left, other_right, _)| left != other_left && right != other_right)
    });
    links
}

#[test]
fn the_answer_is_the_same_whichever_is_asked() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::with_cases(5000), rng);
    let seen = RefCell::new(HashSet::new());
    let result = runner.run(&(any_item(), any_item()), |(one, other)| {
        let verdict = one.compare(&other);
        prop_assert_eq!(&other.compare(&one), &verdict);
        seen.borrow_mut().insert(match verdict {
            Verdict::Same(link) => format!("{:?}", link.tie),
            Verdict::Different(why) => format!("{why:?}"),
        });
        Ok(())
    });
    result.unwrap();
    // Four ties and five differences: the items have enough in common to see them all.
    assert_eq!(seen.borrow().len(), 9, "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn lists_give_what_comparing_all_with_all_gives(
        left in proptest::collection::vec(any_item(), 0..12),
        right in proptest::collection::vec(any_item(), 0..12),
    ) {
        let plain = |pairs: Vec<Pair>| pairs.into_iter().map(|pair| (pair.left, pair.right, pair.link)).collect::<Vec<_>>();
        prop_assert_eq!(plain(link(&left, &right)), all_with_all(&left, &right));
        let mut turned = plain(link(&right, &left)).into_iter().map(|(right, left, link)| (left, right, link)).collect::<Vec<_>>();
        turned.sort_by_key(|(left, right, _)| (*left, *right));
        prop_assert_eq!(turned, all_with_all(&left, &right));
    }
}
