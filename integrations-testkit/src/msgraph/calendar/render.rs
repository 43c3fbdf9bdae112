//! How is an event written into an answer?

use std::borrow::Cow;

use chrono::NaiveDate;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::event::{Event, EventField, Exception};
use super::generate::Generator;
use super::timing::{Span, Timing, day_number, utc};
use crate::msgraph::body::put_body;
use crate::msgraph::change_key::put_change_key;
use crate::msgraph::fields::{Object, Select, named};
use crate::msgraph::ids::{Ids, Kind, Name};
use crate::msgraph::prefer::{BodyType, Preferences};
use crate::msgraph::store::Key;
use crate::msgraph::text::{moment, put, put_date, put_json, put_local, put_seconds};

/// How a client wants its events.
#[derive(Debug)]
pub(in crate::msgraph) struct View<'a> {
    pub(in crate::msgraph) ids: &'a Ids,
    pub(in crate::msgraph) prefer: &'a Preferences,
    pub(in crate::msgraph) select: Select<EventField>,
    /// Whether each item says that it is an event, as in a delta round.
    pub(in crate::msgraph) typed: bool,
}

/// An event of a calendar, stored or generated.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) key: Key,
    pub(super) moves: u32,
    /// What its etag is made of.
    pub(super) change: u64,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) timing: Cow<'a, Timing>,
    pub(super) content: Content<'a>,
}

#[derive(Debug)]
pub(super) enum Content<'a> {
    Stored(&'a Event),
    Generated(&'a Generator, u64),
}

/// One time that a series takes place.
#[derive(Debug)]
pub(super) struct Occurrence<'a> {
    /// The day on which it was to take place.
    pub(super) date: NaiveDate,
    pub(super) timing: &'a Timing,
    pub(super) span: Span,
    pub(super) exception: Option<&'a Exception>,
}

impl Piece<'_> {
    fn name(&self, part: u32) -> Name {
        Name { kind: Kind::Event, key: self.key, moves: Some(self.moves), part }
    }

    fn begin<'o>(&self, out: &'o mut Vec<u8>, view: &View<'_>, part: u32) -> Object<'o, EventField> {
        let mut object = Object::begin(out, view.select);
        if view.typed {
            put!(object.always("@odata.type"), r##""#microsoft.graph.event""##);
        }
        let out = object.always("@odata.etag");
        put!(out, r#""W/\""#);
        put_change_key(out, self.change);
        put!(out, r#"\"""#);
        self.put_id(object.always("id"), view, part);
        object
    }

    fn put_id(&self, out: &mut Vec<u8>, view: &View<'_>, part: u32) {
        out.push(b'"');
        view.ids.put(out, view.prefer.id_type, &self.name(part));
        out.push(b'"');
    }

    /// An event that is not part of a series, or a series itself, in full.
    pub(super) fn put(&self, out: &mut Vec<u8>, view: &View<'_>) {
        let object = self.begin(out, view, 0);
        let kind = if self.timing.rule.is_some() { "seriesMaster" } else { "singleInstance" };
        self.put_rest(object, view, kind, None);
    }

    /// An occurrence in full: what it does not have of its own it has of its series.
    pub(super) fn put_occurrence(&self, out: &mut Vec<u8>, view: &View<'_>, occurrence: &Occurrence<'_>) {
        let object = self.begin(out, view, day_number(occurrence.date));
        let kind = if occurrence.exception.is_some() { "exception" } else { "occurrence" };
        self.put_rest(object, view, kind, Some(occurrence));
    }

    /// An occurrence as a delta round shows it: the rest has to be read from its series.
    pub(super) fn put_stub(&self, out: &mut Vec<u8>, view: &View<'_>, occurrence: &Occurrence<'_>) {
        let mut object = self.begin(out, view, day_number(occurrence.date));
        put!(object.always("type"), r#""occurrence""#);
        self.put_id(object.always("seriesMasterId"), view, 0);
        let (zone, name) = (view.prefer.zone, &view.prefer.zone_name);
        occurrence.timing.put(object.always("start"), occurrence.span.start, zone, name);
        occurrence.timing.put(object.always("end"), occurrence.span.end, zone, name);
        object.end();
    }

    fn put_rest(
        &self,
        mut object: Object<'_, EventField>,
        view: &View<'_>,
        kind: &str,
        occurrence: Option<&Occurrence<'_>>,
    ) {
        use EventField as F;
        let timing = occurrence.map_or(&*self.timing, |occurrence| occurrence.timing);
        let span = occurrence.map_or(timing.span, |occurrence| occurrence.span);
        let part = occurrence.map_or(0, |occurrence| day_number(occurrence.date));
        let exception = occurrence.and_then(|occurrence| occurrence.exception);
        for (field, time) in [(F::CreatedDateTime, self.created), (F::LastModifiedDateTime, self.modified)] {
            if let Some(out) = object.field(field) {
                out.push(b'"');
                put_local(out, moment(time));
                put!(out, "Z\"");
            }
        }
        if let Some(out) = object.field(F::ChangeKey) {
            out.push(b'"');
            put_change_key(out, self.change);
            out.push(b'"');
        }
        for (field, name) in
            [F::OriginalStartTimeZone, F::OriginalEndTimeZone].into_iter().zip(&timing.zone_names)
        {
            if let Some(out) = object.field(field) {
                put_json(out, name.as_ref());
            }
        }
        if let Some(out) = object.field(F::Type) {
            put!(out, "\"", kind, "\"");
        }
        if let Some(out) = object.field(F::SeriesMasterId) {
            if occurrence.is_some() { self.put_id(out, view, 0) } else { put!(out, "null") }
        }
        if let Some(occurrence) = occurrence
            && let Some(out) = object.field(F::OriginalStart)
        {
            let planned = self.timing.on(occurrence.date).start;
            out.push(b'"');
            put_seconds(out, if self.timing.all_day { planned } else { utc(self.timing.zone, planned) });
            put!(out, "Z\"");
        }
        if let Some(out) = object.field(F::WebLink) {
            let id = view.ids.text(view.prefer.id_type, &self.name(part));
            let id = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
            put!(
                out,
                r#""https://outlook.office365.com/owa/?itemid="#,
                id,
                r#"&exvsurl=1&path=/calendar/item""#
            );
        }
        for (field, time) in [(F::Start, span.start), (F::End, span.end)] {
            if let Some(out) = object.field(field) {
                timing.put(out, time, view.prefer.zone, &view.prefer.zone_name);
            }
        }
        if let Some(out) = object.field(F::Recurrence) {
            match self.timing.rule.as_ref().filter(|_| occurrence.is_none()) {
                Some(rule) => rule.put(out, self.timing.recurrence_zone()),
                None => put!(out, "null"),
            }
        }
        if let Some(out) = object.field(F::CancelledOccurrences) {
            out.push(b'[');
            if let (Content::Stored(event), None) = (&self.content, occurrence) {
                for (number, day) in event.cancelled.iter().enumerate() {
                    put!(out, if number == 0 { "\"OID." } else { ",\"OID." });
                    view.ids.put(out, view.prefer.id_type, &self.name(0));
                    out.push(b'.');
                    put_date(out, &super::timing::day_of_number(*day).unwrap_or_default());
                    out.push(b'"');
                }
            }
            out.push(b']');
        }
        match &self.content {
            Content::Generated(generator, index) => {
                generator.put_content(*index, &mut object, view.prefer.body, occurrence.map(|o| o.date));
            }
            Content::Stored(event) => {
                put_fields(
                    &event.fields,
                    exception,
                    &mut object,
                    view.prefer.body,
                    occurrence.map(|o| o.date),
                );
            }
        }
        object.end();
    }
}

fn put_fields(
    fields: &Map<String, Value>,
    exception: Option<&Exception>,
    object: &mut Object<'_, EventField>,
    body: BodyType,
    day: Option<NaiveDate>,
) {
    let own = exception.map(|exception| &exception.fields);
    let usual = object.select().is_usual();
    let known = fields.iter().filter(|(name, _)| own.is_none_or(|own| !own.contains_key(*name)));
    for (name, value) in known.chain(own.into_iter().flatten()) {
        if !usual {
            let Some(number) = named::<EventField>(name) else { continue };
            if object.select().bits & (1 << number) == 0 {
                continue;
            }
        }
        let out = object.always(name);
        match (name.as_str(), day) {
            ("body", _) => put_body(out, value, body),
            ("iCalUId", Some(day)) => put_uid(out, value.as_str().unwrap_or_default(), Some(day)),
            _ => put_json(out, value),
        }
    }
}

/// Appends a global id; that of an occurrence says its day.
pub(super) fn put_uid(out: &mut Vec<u8>, uid: &str, day: Option<NaiveDate>) {
    let place = 32..40;
    match day
        .filter(|_| uid.starts_with("040000008200E00074C5B7101A82E008") && uid.is_ascii() && uid.len() > 40)
    {
        Some(day) => {
            use chrono::Datelike as _;
            let stamp = format!("{:04X}{:02X}{:02X}", day.year(), day.month(), day.day());
            put!(out, "\"", uid[..place.start], stamp, uid[place.end..], "\"");
        }
        None => put_json(out, uid),
    }
}
