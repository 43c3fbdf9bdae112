//! What does a page of a round say, and what has to be asked besides?
//!
//! A round tells of a series by its occurrences in the stretch, as stubs, with or without the series itself, and
//! not at all of those that were cancelled. So of each series that a page mentions, the series is got, with the
//! days that were cancelled and all of its exceptions, wherever they lie: that is the whole truth about it, and the
//! page's own words on it are not needed.
//!
//! What is `@removed` is got, too, whatever the reason: Graph says `deleted` also of what has left the stretch, or
//! was never in it. It may be an occurrence, which changes its series, or a series that began long ago and still
//! reaches into the stretch. Anything else is not what this stream lists any more, and goes.

use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use chrono::DateTime;
use integrations_core::http::{Session, join};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use url::Url;

use super::normalize::{is_readable, span};
use super::place::Stretch;
use super::sync::{self, UTC};
use super::wire::{WireHead, WireId};
use crate::batch;
use crate::config::GraphConfig;
use crate::delta::{IMMUTABLE_IDS, removed};

const GET: &str = "events.get";
const CALENDAR: &str = "events.calendar";
const INSTANCES: &str = "events.instances";

/// What is got of an event by its id. The days that were cancelled are given to those alone who name them.
const SELECT: &str = "allowNewTimeProposals,attendees,body,bodyPreview,cancelledOccurrences,categories,changeKey,\
    createdDateTime,end,hasAttachments,hideAttendees,iCalUId,importance,isAllDay,isCancelled,isDraft,isOnlineMeeting,\
    isOrganizer,isReminderOn,lastModifiedDateTime,location,locations,onlineMeeting,onlineMeetingProvider,\
    onlineMeetingUrl,organizer,originalEndTimeZone,originalStart,originalStartTimeZone,recurrence,\
    reminderMinutesBeforeStart,responseRequested,responseStatus,sensitivity,seriesMasterId,showAs,start,subject,\
    transactionId,type,webLink";

/// To what end a round is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// To know everything in the stretch.
    Everything,
    /// To know what has changed in it.
    Changes,
    /// To know what has changed in an older, smaller stretch: what has left that one may be in this one.
    CatchingUp,
}

/// A page of a round.
pub(super) struct Round<'a> {
    pub config: &'a GraphConfig,
    pub session: &'a Session,
    pub calendar: &'a str,
    pub stretch: Stretch,
    pub reading: Reading,
}

/// What a page says of an event, the last time it does.
#[derive(Debug)]
enum Mention {
    /// It is there, in full.
    Shown(Raw),
    /// Something is there of a series: more than exceptions, and these. It may be said to be removed all the same:
    /// its parts are in no order.
    Series { whole: bool, removed: bool, exceptions: Vec<Raw> },
    /// It is not in the stretch any more, or nowhere.
    Removed,
}

/// What a page says, of each event once, in the order of the page.
#[derive(Debug, Default)]
struct Mentions {
    list: Vec<(String, Mention)>,
    places: HashMap<String, usize>,
    /// What cannot be read, for the quarantine.
    odd: Vec<Raw>,
}

impl Mentions {
    fn of(items: Vec<Raw>) -> Self {
        let mut mentions = Self::default();
        for item in items {
            if let Some(id) = removed(&item) {
                mentions.note(id, Mention::Removed);
                continue;
            }
            match serde_json::from_slice::<WireHead>(item.as_bytes()) {
                Ok(head) => mentions.item(head, item),
                Err(_) => mentions.odd.push(item),
            }
        }
        mentions
    }

    fn item(&mut self, head: WireHead, item: Raw) {
        match part_of(&head) {
            Part::Single if head.start.is_some() => self.note(head.id, Mention::Shown(item)),
            // What comes in part is got whole, as a series is.
            Part::Single | Part::Series => self.series(head.id, true, None),
            Part::Occurrence(series) => self.series(series, true, None),
            Part::Exception(series) => self.series(series, false, Some(item)),
        }
    }

    fn note(&mut self, id: String, mention: Mention) {
        if let Some(place) = self.places.get(&id) {
            self.list[*place].1 = mention;
        } else {
            self.places.insert(id.clone(), self.list.len());
            self.list.push((id, mention));
        }
    }

    fn series(&mut self, id: String, is_whole: bool, exception: Option<Raw>) {
        let known = self.places.get(&id).and_then(|place| self.list.get_mut(*place));
        if let Some((_, Mention::Series { whole, exceptions, .. })) = known {
            *whole |= is_whole;
            exceptions.extend(exception);
        } else {
            let removed = matches!(known, Some((_, Mention::Removed)));
            let exceptions = exception.into_iter().collect();
            self.note(id, Mention::Series { whole: is_whole, removed, exceptions });
        }
    }
}

/// What an event is to a series.
enum Part {
    Single,
    Series,
    Occurrence(String),
    Exception(String),
}

fn part_of(head: &WireHead) -> Part {
    let is = |kind: &str| head.kind.as_deref().is_some_and(|word| word.eq_ignore_ascii_case(kind));
    match &head.series_master_id {
        Some(series) if !series.is_empty() && is("occurrence") => Part::Occurrence(series.clone()),
        Some(series) if !series.is_empty() => Part::Exception(series.clone()),
        _ if head.recurrence.is_some() || is("seriesMaster") => Part::Series,
        _ => Part::Single,
    }
}

impl Round<'_> {
    /// The items of a page for the normaliser.
    pub(super) async fn read(&self, items: Vec<Raw>) -> Result<Vec<Raw>> {
        let mut mentions = Mentions::of(items);
        self.look_after(&mut mentions).await?;
        let Mentions { list, odd, .. } = mentions;
        let series = list.iter().filter(|(_, mention)| matches!(mention, Mention::Series { .. }));
        let series: Vec<&str> = series.map(|(id, _)| id.as_str()).collect();
        let mut got = self.get(&series).await?.into_iter();

        let (mut gone, mut there) = (Vec::new(), Vec::new());
        for (id, mention) in list {
            match mention {
                Mention::Shown(item) => there.push(item),
                Mention::Removed => gone.push(gone_item(&id)),
                Mention::Series { whole, removed, exceptions } => {
                    let Some(answer) = got.next() else { continue };
                    if removed && is_not_there(&answer) {
                        gone.push(gone_item(&id));
                        there.extend(exceptions.into_iter().filter(|_| !whole));
                    } else {
                        self.put_series(&id, answer, whole, exceptions, &mut there);
                    }
                }
            }
        }
        // What was moved about may be gone by one id and there by another.
        gone.extend(there);
        gone.extend(odd);
        Ok(gone)
    }

    /// Puts a series and its exceptions. Those that it had and has no more are told by nobody: a series that has
    /// changed is taken away with all that belongs to it, and written anew, in one page. Not if any of it cannot
    /// be read: what was there of that stays.
    fn put_series(
        &self,
        id: &str,
        answer: Result<Bytes>,
        whole: bool,
        shown: Vec<Raw>,
        items: &mut Vec<Raw>,
    ) {
        let parts = answer.and_then(|body| {
            parts(&body).ok_or_else(|| Error::new(ErrorKind::DataFormat, "the event is no JSON of an event"))
        });
        match parts {
            Ok(parts) => {
                if self.reading != Reading::Everything && parts.iter().all(is_readable) {
                    items.push(gone_item(id));
                }
                items.extend(parts);
            }
            // Whoever is invited to one occurrence alone cannot see the series.
            Err(error) if error.kind() == ErrorKind::NotFound && !whole => items.extend(shown),
            // It was mentioned, and is not given: neither here nor gone until Graph says so.
            Err(error) => {
                items.extend(shown);
                items.push(in_place_of(id, &error));
            }
        }
    }

    /// Finds out what became of the events that are removed.
    async fn look_after(&self, mentions: &mut Mentions) -> Result<()> {
        let left = mentions.list.iter().filter(|(_, mention)| matches!(mention, Mention::Removed));
        let left: Vec<String> = left.map(|(id, _)| id.clone()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let (mut of_series, mut series, mut singles) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (id, answer) in left.iter().zip(self.get(&left).await?) {
            let body = match answer {
                Ok(body) => body,
                // Nobody can tell: what was there stays.
                Err(error) if tells_nothing(&error) => {
                    mentions.note(id.clone(), Mention::Shown(in_place_of(id, &error)));
                    continue;
                }
                Err(_) => continue,
            };
            let Ok(head) = serde_json::from_slice::<WireHead>(&body) else { continue };
            match part_of(&head) {
                Part::Occurrence(of) | Part::Exception(of) => drop(of_series.insert(of)),
                Part::Series => series.push(id.clone()),
                Part::Single if self.reading == Reading::CatchingUp => {
                    let item = Raw::new(body);
                    let inside = |(start, end): (DateTime<_>, DateTime<_>)| self.stretch.meets(start, end);
                    if span(&item).is_some_and(inside) {
                        singles.push((id.clone(), item));
                    }
                }
                Part::Single => {}
            }
        }
        let ids = of_series.iter().chain(&series).chain(singles.iter().map(|(id, _)| id));
        let here = self.here(ids.cloned().collect()).await?;
        series.retain(|id| here.contains(id));
        let reach = self.reach(&series).await?;
        let series = series.into_iter().zip(reach).filter_map(|(id, reaches)| reaches.then_some(id));
        for id in series.chain(of_series.into_iter().filter(|id| here.contains(id))) {
            mentions.series(id, true, None);
        }
        for (id, item) in singles.into_iter().filter(|(id, _)| here.contains(id)) {
            mentions.note(id, Mention::Shown(item));
        }
        Ok(())
    }

    /// Those events that are in this calendar and in no other: an event is got by its id wherever it was moved. What
    /// nobody can tell of is here.
    async fn here(&self, ids: BTreeSet<String>) -> Result<HashSet<String>> {
        let ids: Vec<String> = ids.into_iter().collect();
        let url = |id: &String| {
            let mut url = self.event(id, &["calendar"])?;
            url.query_pairs_mut().append_pair("$select", "id");
            Ok(url)
        };
        let answers = self.batch(CALENDAR, ids.iter().map(url).collect::<Result<_>>()?).await?;
        let is_here = |answer: Result<Bytes>| match answer {
            Ok(body) => serde_json::from_slice(&body).map_or(true, |WireId { id }| id == self.calendar),
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        let here = ids.into_iter().zip(answers).filter_map(|(id, answer)| is_here(answer).then_some(id));
        Ok(here.collect())
    }

    /// Gets events by their ids, in their order.
    async fn get(&self, ids: &[impl AsRef<str>]) -> Result<Vec<Result<Bytes>>> {
        let url = |id: &str| {
            let mut url = self.event(id, &[])?;
            url.query_pairs_mut()
                .append_pair("$select", SELECT)
                .append_pair("$expand", "exceptionOccurrences");
            Ok(url)
        };
        self.batch(GET, ids.iter().map(|id| url(id.as_ref())).collect::<Result<_>>()?).await
    }

    /// Whether series take place in the stretch. One that is there, and of which nobody can tell, does.
    async fn reach(&self, ids: &[String]) -> Result<Vec<bool>> {
        #[derive(Deserialize)]
        struct Instances {
            value: Vec<IgnoredAny>,
        }
        let url = |id: &String| {
            let mut url = self.event(id, &["instances"])?;
            url.query_pairs_mut()
                .extend_pairs(self.stretch.parameters())
                .append_pair("$top", "1")
                .append_pair("$select", "id");
            Ok(url)
        };
        let answers = self.batch(INSTANCES, ids.iter().map(url).collect::<Result<_>>()?).await?;
        let reaches = |answer: Result<Bytes>| match answer {
            Ok(body) => serde_json::from_slice(&body).map_or(true, |Instances { value }| !value.is_empty()),
            Err(error) => tells_nothing(&error),
        };
        Ok(answers.into_iter().map(reaches).collect())
    }

    async fn batch(&self, operation: &'static str, urls: Vec<Url>) -> Result<Vec<Result<Bytes>>> {
        let prefer = format!("{IMMUTABLE_IDS}, {UTC}");
        let lives = Box::pin(sync::check(self.config, self.session));
        batch::get(self.config, self.session, operation, &prefer, &urls, lives).await
    }

    fn event(&self, id: &str, rest: &[&str]) -> Result<Url> {
        let path = ["me", "calendars", self.calendar, "events", id];
        join(&self.config.api_url, &[&path, rest].concat())
    }
}

/// A series and its exceptions, cut out of it; `None` for what is no event.
fn parts(body: &Bytes) -> Option<Vec<Raw>> {
    #[derive(Deserialize)]
    struct Series {
        #[serde(rename = "id")]
        _id: IgnoredAny,
        #[serde(default, rename = "exceptionOccurrences")]
        _exceptions: Option<[IgnoredAny; 0]>,
    }
    let (Series { .. }, exceptions) = json::cut_items(body, "exceptionOccurrences")?;
    let mut parts = vec![Raw::new(body.clone())];
    parts.extend(exceptions);
    Some(parts)
}

fn is_not_there(answer: &Result<Bytes>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether an error says nothing of what was asked for.
fn tells_nothing(error: &Error) -> bool {
    batch::is_passing(error) || error.provider_code() == Some("body_too_large")
}

fn gone_item(id: &str) -> Raw {
    Raw::new(json!({ "id": id, "@removed": { "reason": "deleted" } }).to_string())
}

fn in_place_of(id: &str, error: &Error) -> Raw {
    let code = error.provider_code().map_or(Value::Null, Value::from);
    Raw::new(json!({ "id": id, "error": { "status": error.status(), "code": code } }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(items: &[Value]) -> Vec<String> {
        let items = items.iter().map(|item| Raw::new(item.to_string())).collect();
        let shown = |(id, mention): &(String, Mention)| match mention {
            Mention::Shown(item) => format!("{id} shown {}", item.len()),
            Mention::Series { whole, removed, exceptions } => {
                format!("{id} series {whole} {removed} {}", exceptions.len())
            }
            Mention::Removed => format!("{id} removed"),
        };
        let mentions = Mentions::of(items);
        let odd = mentions.odd.iter().map(|item| format!("odd {}", item.len()));
        mentions.list.iter().map(shown).chain(odd).collect()
    }

    #[test]
    fn of_each_event_the_last_word_counts() {
        let gone = |id: &str| json!({"id": id, "@removed": {"reason": "deleted"}});
        let left = |id: &str| json!({"id": id, "@removed": {"reason": "changed"}});
        let part = |id: &str, kind: &str| json!({"id": id, "type": kind, "seriesMasterId": "S"});
        let said = mentions(&[
            json!({"id": "1", "type": "singleInstance", "seriesMasterId": null, "recurrence": null, "start": {}}),
            gone("2"),
            part("a", "occurrence"),
            left("3"),
            json!({"id": "2", "start": 7}),
            gone("1"),
            part("b", "exception"),
            json!({"id": "S", "type": "seriesMaster", "recurrence": {}}),
            json!({"id": "4", "@removed": {"reason": "of another kind"}}),
            json!({"id": 5}),
        ]);
        assert_eq!(
            said,
            ["1 removed", "2 shown 20", "S series true false 1", "3 removed", "4 removed", "odd 8"]
        );
        assert_eq!(mentions(&[part("b", "exception"), gone("S")]), ["S removed"]);
        assert_eq!(mentions(&[gone("S"), part("b", "exception")]), ["S series false true 1"]);
        // An event in part is got, as a series is.
        assert_eq!(mentions(&[json!({"id": "1", "subject": "x"})]), ["1 series true false 0"]);
        // A kind that nobody knows is an event of its own, or of its series.
        assert_eq!(mentions(&[json!({"id": "1", "type": "x", "start": {}})]), ["1 shown 32"]);
        assert_eq!(mentions(&[part("b", "x")]), ["S series false false 1"]);
    }

    #[test]
    fn exceptions_are_cut_out_of_their_series() {
        let body = Bytes::from_static(br#"{"id":"S","exceptionOccurrences":[{"id":"a"},7]}"#);
        let parts: Vec<_> = parts(&body).unwrap().iter().map(|part| part.to_text().into_owned()).collect();
        assert_eq!(parts[1..], [r#"{"id":"a"}"#, "7"]);
        for body in [r#"{"id":"S"}"#, r#"{"id":"S","exceptionOccurrences":null}"#] {
            assert_eq!(super::parts(&Bytes::from_static(body.as_bytes())).unwrap().len(), 1, "{body}");
        }
        for body in ["", "7", "{}", r#""bm90aGluZw==""#, r#"{"id":"S","exceptionOccurrences":{}}"#] {
            assert!(super::parts(&Bytes::from_static(body.as_bytes())).is_none(), "{body}");
        }
    }
}
