//! Which calendars are there, and how is a page of one read?

use std::collections::HashSet;

use integrations_core::adapter::{Next, Page, Pull, PullFrom, Stream};
use integrations_core::http::{CacheMode, Request, Session, join};
use integrations_core::model::Raw;
use integrations_core::normalize::PageContext;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use url::Url;

use super::place::{Place, Stretch, Wider};
use super::round::{Reading, Round};
use super::wire::{WireCalendar, WireZones};
use crate::config::GraphConfig;
use crate::delta::{IMMUTABLE_IDS, Link, Pages};
use crate::limits::{CALENDARS_PER_PAGE, EVENTS_PER_PAGE};
use crate::zones::time_zone;

const LIST_CALENDARS: &str = "calendars.list";
const DELTA: &str = "calendarView.delta";
const GET_SETTINGS: &str = "mailboxSettings.get";

/// Times in UTC: Graph's default, and said all the same.
pub(super) const UTC: &str = r#"outlook.timezone="UTC""#;

/// How many pages the list of the calendars may have.
const MAX_PAGES: usize = 1000;

/// The calendars of the user, those that others share among them, the user's main one first.
pub(super) async fn list_calendars(config: &GraphConfig, session: &Session) -> Result<Vec<Stream>> {
    let pages = Pages { operation: LIST_CALENDARS, prefer: &[IMMUTABLE_IDS], size: CALENDARS_PER_PAGE };
    let mut listed = pages.first(config, session, calendars(config)?).await?;
    let mut streams = Vec::new();
    for number in 1.. {
        for item in &listed.items {
            let calendar: WireCalendar = json::decode(item.as_bytes(), LIST_CALENDARS)?;
            streams.push(stream(calendar));
        }
        listed = match listed.link {
            Some(Link::Next(_)) if number == MAX_PAGES => {
                return Err(Error::new(ErrorKind::DataFormat, "the list of calendars has no end")
                    .with_operation(LIST_CALENDARS)
                    .with_code("too_many_pages"));
            }
            Some(Link::Next(next)) => pages.follow(config, session, &next).await?,
            Some(Link::Delta(_)) | None => break,
        };
    }
    // The list shifts when it changes while it is read.
    let mut known = HashSet::new();
    streams.retain(|stream| known.insert(stream.id.clone()));
    streams.sort_by_key(|stream| !stream.primary);
    Ok(streams)
}

fn calendars(config: &GraphConfig) -> Result<Url> {
    join(&config.api_url, &["me", "calendars"])
}

fn stream(calendar: WireCalendar) -> Stream {
    let title = calendar.name.unwrap_or_else(|| calendar.id.clone());
    let mut stream = Stream::new(calendar.id, title);
    stream.primary = calendar.is_default_calendar.unwrap_or(false);
    stream.access = calendar.can_edit.map(|may| if may { "write" } else { "read" }.to_owned());
    // Without a colour that somebody chose, Outlook names one of a list, whose values it does not tell.
    let is_color = |color: &String| color.len() == 7 && color.starts_with('#');
    stream.color = calendar.hex_color.filter(is_color);
    stream
}

/// One page of a calendar's events.
pub(super) async fn list_events(config: &GraphConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let size = pull.page_size.clamp(1, EVENTS_PER_PAGE);
    let pages = Pages { operation: DELTA, prefer: &[IMMUTABLE_IDS, UTC], size };
    let now = session.now();
    let wanted = Stretch::of(&pull.window, now, config.calendar);
    let (place, listed) = match pull.from {
        PullFrom::Listing { page: None } => {
            (None, pages.first(config, session, view(config, &pull, wanted)?).await?)
        }
        PullFrom::Changes { since, page: None } => {
            let place = Place::read(since)?;
            if place.stretch.is_late(&pull.window, now, config.calendar) {
                let message = "the clock was ahead when the position was stored";
                return Err(Error::new(ErrorKind::CursorExpired, message));
            }
            if place.stretch.is_short(&pull.window, now, config.calendar) {
                let listed = pages.first(config, session, view(config, &pull, wanted)?).await?;
                let wider = Some(Wider::Listing(place.link.clone()));
                (Some(Place { stretch: wanted, wider, ..place }), listed)
            } else {
                let listed = pages.follow(config, session, &place.link).await?;
                (Some(place), listed)
            }
        }
        PullFrom::Listing { page: Some(page) } | PullFrom::Changes { page: Some(page), .. } => {
            let place = Place::read(page)?;
            let listed = pages.follow(config, session, &place.link).await?;
            (Some(place), listed)
        }
    };
    let (stretch, wider) = place.map_or((wanted, None), |place| (place.stretch, place.wider));
    let reading = match (&wider, pull.from) {
        (Some(Wider::CatchingUp(_)), _) => Reading::CatchingUp,
        (Some(Wider::Listing(_)), _) | (None, PullFrom::Listing { .. }) => Reading::Everything,
        (None, PullFrom::Changes { .. }) => Reading::Changes,
    };
    let (items, next) = listed.of_round()?;
    let next = go_on(stretch, wider, next)?;
    let round = Round { config, session, calendar: pull.stream.as_str(), stretch, reading };
    let items = round.read(items).await?;
    let mut context = PageContext::default();
    if items.iter().any(names_no_zone) {
        context.time_zone = mailbox_zone(config, session).await?;
    }
    Ok(Page::new(items, next).with_context(context))
}

/// What comes behind a page: the next one of the same round, the next round of a stretch that is made wider, or
/// the changes from here on.
fn go_on(stretch: Stretch, wider: Option<Wider>, next: Next) -> Result<Next> {
    let place = |link, wider| Place { stretch, link, wider }.cursor();
    Ok(match (next, wider) {
        (Next::Page(link), wider) => Next::Page(place(link, wider)?),
        (Next::Done(new), Some(Wider::Listing(old))) => Next::Page(place(old, Some(Wider::CatchingUp(new)))?),
        (Next::Done(_), Some(Wider::CatchingUp(new))) => Next::Done(place(new, None)?),
        (Next::Done(link), None) => Next::Done(place(link, None)?),
        (Next::Listed, _) => Next::Listed,
    })
}

/// The address of a round from its start.
fn view(config: &GraphConfig, pull: &Pull<'_>, stretch: Stretch) -> Result<Url> {
    let mut url = join(&config.api_url, &["me", "calendars", pull.stream.as_str(), "calendarView", "delta"])?;
    url.query_pairs_mut().extend_pairs(stretch.parameters());
    Ok(url)
}

/// Whether the zone that an item is planned in cannot be told.
fn names_no_zone(item: &Raw) -> bool {
    let Ok(zones) = serde_json::from_slice::<WireZones>(item.as_bytes()) else { return false };
    let names = [zones.original_start_time_zone, zones.original_end_time_zone];
    !zones.is_all_day.unwrap_or(false) && names.iter().flatten().any(|name| time_zone(name).is_none())
}

/// The zone of the mailbox, if it may be read.
async fn mailbox_zone(config: &GraphConfig, session: &Session) -> Result<Option<chrono_tz::Tz>> {
    #[derive(Deserialize)]
    struct Setting {
        value: Option<String>,
    }
    let url = join(&config.api_url, &["me", "mailboxSettings", "timeZone"])?;
    let request = Request::get(GET_SETTINGS, url).with_cache(CacheMode::Fresh(CacheMode::FRESH));
    match session.send(request).await {
        Ok(answer) => {
            let setting: Setting = json::decode(&answer.body, GET_SETTINGS)?;
            Ok(setting.value.as_deref().and_then(time_zone))
        }
        // It is a guess at best; without it, the events keep their instants.
        Err(error) => match error.kind() {
            ErrorKind::InsufficientPermissions | ErrorKind::NotFound | ErrorKind::UnsupportedOperation => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// One cheap call.
pub(super) async fn check(config: &GraphConfig, session: &Session) -> Result<()> {
    let mut url = calendars(config)?;
    url.query_pairs_mut().append_pair("$top", "1").append_pair("$select", "id");
    let pages = Pages { operation: LIST_CALENDARS, prefer: &[IMMUTABLE_IDS], size: 1 };
    pages.first(config, session, url).await.map(drop)
}

#[cfg(test)]
mod tests {
    use integrations_core::sync::Cursor;

    use super::*;

    #[test]
    fn a_wider_stretch_is_listed_then_caught_up_with_then_followed() {
        let at = |text: &str| text.parse().unwrap();
        let stretch = Stretch { from: at("2026-03-02T00:00:00Z"), to: at("2027-03-02T00:00:00Z") };
        let link = |text: &str| Cursor::new(text.to_owned());
        let place = |next: &Next| match next {
            Next::Page(cursor) | Next::Done(cursor) => Place::read(cursor).unwrap(),
            Next::Listed => panic!("there are changes to follow"),
        };
        let listing = Some(Wider::Listing(link("old")));
        let next = go_on(stretch, listing.clone(), Next::Page(link("new 2"))).unwrap();
        assert_eq!(place(&next), Place { stretch, link: link("new 2"), wider: listing.clone() });
        let next = go_on(stretch, listing, Next::Done(link("new"))).unwrap();
        assert!(matches!(next, Next::Page(_)));
        let catching_up = Some(Wider::CatchingUp(link("new")));
        assert_eq!(place(&next), Place { stretch, link: link("old"), wider: catching_up.clone() });
        let next = go_on(stretch, catching_up.clone(), Next::Page(link("old 2"))).unwrap();
        assert_eq!(place(&next), Place { stretch, link: link("old 2"), wider: catching_up.clone() });
        let next = go_on(stretch, catching_up, Next::Done(link("old 3"))).unwrap();
        assert!(matches!(next, Next::Done(_)));
        assert_eq!(place(&next), Place { stretch, link: link("new"), wider: None });
    }
}
