//! What do the plain listings and look-ups of the calendar answer?

use super::generate::person;
use super::render::{Occurrence, Piece, View};
use super::timing::day_number;
use super::{Calendars, Shown};
use crate::msgraph::Graph;
use crate::msgraph::access::Access;
use crate::msgraph::change_key::{of_version, put_change_key};
use crate::msgraph::errors::Refusal;
use crate::msgraph::fields::{Object, Select, fields};
use crate::msgraph::page::{Listing, single};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::Query;
use crate::msgraph::store::Key;
use crate::msgraph::text::{put, put_json, truth};
use crate::server::{Call, Reply};

fields! {
    /// The properties of a calendar.
    CalendarField of "microsoft.graph.calendar" without [] {
        AllowedOnlineMeetingProviders = "allowedOnlineMeetingProviders",
        CanEdit = "canEdit",
        CanShare = "canShare",
        CanViewPrivateItems = "canViewPrivateItems",
        ChangeKey = "changeKey",
        Color = "color",
        DefaultOnlineMeetingProvider = "defaultOnlineMeetingProvider",
        HexColor = "hexColor",
        IsDefaultCalendar = "isDefaultCalendar",
        IsRemovable = "isRemovable",
        IsTallyingResponses = "isTallyingResponses",
        Name = "name",
        Owner = "owner",
    }
}

/// Appends a calendar.
fn put_calendar(out: &mut Vec<u8>, calendars: &Calendars, number: usize, select: Select<CalendarField>) {
    use CalendarField as F;
    let calendar = &calendars.list[number];
    let spec = &calendar.spec;
    let (own, shared) = (calendars.own() == Some(number), spec.owner.is_some());
    let owner = match &spec.owner {
        Some((name, address)) => &person(name, address),
        None => &calendars.user,
    };
    let mut object = Object::begin(out, select);
    put_json(object.always("id"), &calendar.id);
    for (field, text) in [
        (F::Name, spec.name.as_str()),
        (F::Color, &spec.color),
        (F::HexColor, ""),
        (F::DefaultOnlineMeetingProvider, "teamsForBusiness"),
    ] {
        if let Some(out) = object.field(field) {
            put_json(out, text);
        }
    }
    for (field, flag) in [
        (F::IsDefaultCalendar, own),
        (F::IsRemovable, !own),
        (F::CanShare, !shared),
        (F::CanViewPrivateItems, !shared),
        (F::IsTallyingResponses, !shared),
        (F::CanEdit, spec.can_edit),
    ] {
        if let Some(out) = object.field(field) {
            put!(out, truth(flag));
        }
    }
    if let Some(out) = object.field(F::ChangeKey) {
        out.push(b'"');
        put_change_key(out, of_version(calendar.change));
        out.push(b'"');
    }
    if let Some(out) = object.field(F::AllowedOnlineMeetingProviders) {
        put!(out, r#"["teamsForBusiness"]"#);
    }
    if let Some(out) = object.field(F::Owner) {
        put_json(out, owner);
    }
    object.end();
}

/// Answers `/me/calendars`.
pub(in crate::msgraph) fn list_calendars(graph: &Graph, call: &Call) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$top", "$skip"])?;
    let select = Select::parse(query.get("$select"))?;
    let state = graph.state();
    let mut listing = Listing::begin(graph, &query, &prefer, "me/calendars")?;
    for (number, _) in state.calendars.present() {
        if !listing.offer(|out| put_calendar(out, &state.calendars, number, select)) {
            break;
        }
    }
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/calendars/{id}` and `/me/calendar`.
pub(in crate::msgraph) fn show_calendar(
    graph: &Graph,
    call: &Call,
    id: Option<&str>,
) -> Result<Reply, Refusal> {
    let query = Query::of(call);
    query.only(&["$select"])?;
    let state = graph.state();
    let number = state.calendars.find(&graph.ids, id)?;
    let select = Select::parse(query.get("$select"))?;
    let mut body = Vec::new();
    put_calendar(&mut body, &state.calendars, number, select);
    Ok(single("me/calendars/$entity", &body))
}

/// Answers `/me/calendars/{id}/events`: series are not expanded.
pub(in crate::msgraph) fn list_events(
    graph: &Graph,
    call: &Call,
    access: Access,
    id: Option<&str>,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$top", "$skip"])?;
    let select = access.select_events(query.get("$select"))?;
    let state = graph.state();
    let calendars = &state.calendars;
    let number = calendars.find(&graph.ids, id)?;
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut listing = Listing::begin(graph, &query, &prefer, "me/calendars/events")?;
    calendars.store.walk(number, 0, |_, key| match calendars.shown(key) {
        Some(Shown::Event(piece)) => listing.offer(|out| piece.put(out, &view)),
        Some(Shown::Raw(text)) => listing.offer(|out| put!(out, text)),
        None => true,
    });
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/calendars/{id}/calendarView`: what takes place in a window, by start, everything in full.
pub(in crate::msgraph) fn view(
    graph: &Graph,
    call: &Call,
    access: Access,
    id: Option<&str>,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["startDateTime", "endDateTime", "$select", "$top", "$skip", "$orderby"])?;
    if query.get("$orderby").is_some_and(|order| !matches!(order, "start/dateTime" | "start/dateTime asc")) {
        return Err(Refusal::unsupported("another $orderby than start/dateTime"));
    }
    let window = query.window()?;
    let select = access.select_events(query.get("$select"))?;
    let state = graph.state();
    let calendars = &state.calendars;
    let number = calendars.find(&graph.ids, id)?;
    let mut due: Vec<(i64, Key, u32)> = Vec::new();
    calendars.store.walk(number, 0, |_, key| {
        let Some(Shown::Event(piece)) = calendars.shown(key) else { return true };
        if piece.is_series() {
            piece.each(window, 0, |occurrence| {
                let (start, _) = occurrence.timing.milliseconds(occurrence.span);
                due.push((start, key, day_number(occurrence.date)));
                true
            });
        } else if piece.shows_in(window) {
            due.push((piece.timing.milliseconds(piece.timing.span).0, key, 0));
        }
        true
    });
    due.sort_unstable();
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut listing = Listing::begin(graph, &query, &prefer, "me/calendarView")?;
    for (_, key, day) in due {
        let Some(piece) = calendars.piece(key) else { continue };
        if !listing.offer(|out| put_either(&piece, day, out, &view)) {
            break;
        }
    }
    Ok(prefer.applied(listing.reply(call, &query), false))
}

fn put_either(piece: &Piece<'_>, day: u32, out: &mut Vec<u8>, view: &View<'_>) {
    match piece.occurrence(day).filter(|_| day != 0) {
        Some(occurrence) => piece.put_occurrence(out, view, &occurrence),
        None => piece.put(out, view),
    }
}

/// Answers `/me/events/{id}/instances`.
pub(in crate::msgraph) fn instances(
    graph: &Graph,
    call: &Call,
    access: Access,
    id: &str,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["startDateTime", "endDateTime", "$select", "$top", "$skip"])?;
    let window = query.window()?;
    let select = access.select_events(query.get("$select"))?;
    let state = graph.state();
    let (key, day) = state.calendars.find_event(&graph.ids, id)?;
    let piece = state.calendars.piece(key).ok_or_else(Refusal::not_found)?;
    if day != 0 || !piece.is_series() {
        let text = "The operation can be performed only on a series master.";
        return Err(Refusal::new(400, "ErrorInvalidRequest", text));
    }
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut listing = Listing::begin(graph, &query, &prefer, "me/events/instances")?;
    piece.each(window, 0, |occurrence| listing.offer(|out| piece.put_occurrence(out, &view, &occurrence)));
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/events/{id}/calendar`.
pub(in crate::msgraph) fn calendar_of(graph: &Graph, call: &Call, id: &str) -> Result<Reply, Refusal> {
    let query = Query::of(call);
    query.only(&["$select"])?;
    let state = graph.state();
    let (key, _) = state.calendars.find_event(&graph.ids, id)?;
    let (number, _) = state.calendars.store.find(key).ok_or_else(Refusal::not_found)?;
    let mut body = Vec::new();
    put_calendar(&mut body, &state.calendars, number, Select::parse(query.get("$select"))?);
    Ok(single("me/calendars/$entity", &body))
}

/// Answers `/me/events/{id}`.
pub(in crate::msgraph) fn get(
    graph: &Graph,
    call: &Call,
    access: Access,
    id: &str,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$expand"])?;
    let expand = match query.get("$expand") {
        None => false,
        Some("exceptionOccurrences") => true,
        Some(_) => return Err(Refusal::unsupported("another $expand than exceptionOccurrences")),
    };
    let select = access.select_events(query.get("$select"))?;
    let state = graph.state();
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut body = shown(&state.calendars, &view, id)?;
    if expand {
        let exceptions = exceptions(&state.calendars, &View { select: access.events(), ..view }, id)?;
        body.pop();
        put!(body, ",\"exceptionOccurrences\":[");
        body.extend_from_slice(&exceptions);
        put!(body, "]}");
    }
    Ok(prefer.applied(single("me/events/$entity", &body), false))
}

/// An event or an occurrence, in full; text of the test as it is.
pub(super) fn shown(calendars: &Calendars, view: &View<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let (key, day) = calendars.find_event(view.ids, id)?;
    let piece = match calendars.shown(key).ok_or_else(Refusal::not_found)? {
        Shown::Event(piece) => piece,
        Shown::Raw(text) if day == 0 => return Ok(text.as_bytes().to_vec()),
        Shown::Raw(_) => return Err(Refusal::not_found()),
    };
    let mut out = Vec::new();
    if day == 0 {
        piece.put(&mut out, view);
    } else {
        let occurrence = piece.occurrence(day).ok_or_else(Refusal::not_found)?;
        piece.put_occurrence(&mut out, view, &occurrence);
    }
    Ok(out)
}

fn exceptions(calendars: &Calendars, view: &View<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let (key, _) = calendars.find_event(view.ids, id)?;
    let piece = calendars.piece(key).ok_or_else(Refusal::not_found)?;
    let mut out = Vec::new();
    let super::Content::Stored(event) = &piece.content else { return Ok(out) };
    let all: Vec<Occurrence<'_>> = event.exceptions.keys().filter_map(|day| piece.occurrence(*day)).collect();
    for (number, occurrence) in all.iter().enumerate() {
        put!(out, if number > 0 { "," } else { "" });
        piece.put_occurrence(&mut out, view, occurrence);
    }
    Ok(out)
}
