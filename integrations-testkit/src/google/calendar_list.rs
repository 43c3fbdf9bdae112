//! Which calendars does the account see, and what does `calendarList.list` answer?

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Google;
use super::calendar::Calendar;
use super::errors;
use super::listing::Window;
use super::query::Query;
use super::tokens::{Cursor, Kind, shape};
use crate::random::hash_text;
use crate::server::Reply;

/// From the least to the most.
const ROLES: [&str; 5] = ["freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"];

/// Not the id of any calendar.
const COLLECTION: &str = "users/me/calendarList";

#[derive(Debug)]
struct Member {
    calendar: Calendar,
    version: u64,
    removed: bool,
}

/// The account's calendars.
#[derive(Debug, Default)]
pub(super) struct Account {
    members: Vec<Member>,
    by_id: HashMap<String, usize>,
    version: u64,
    sync_epoch: u64,
}

impl Account {
    pub(super) fn add(&mut self, mut calendar: Calendar) {
        self.version += 1;
        let version = self.version;
        let id = calendar.spec.id.clone();
        if let Some(&index) = self.by_id.get(&id) {
            // Tokens of the calendar that had this id before must not work on the new one.
            calendar.sync_epoch = self.members[index].calendar.sync_epoch + 1;
            calendar.page_epoch = self.members[index].calendar.page_epoch + 1;
            self.members[index] = Member { calendar, version, removed: false };
        } else {
            self.by_id.insert(id, self.members.len());
            self.members.push(Member { calendar, version, removed: false });
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let Some(member) = self.member(id) else { return false };
        self.version += 1;
        let version = self.version;
        self.members[member].removed = true;
        self.members[member].version = version;
        true
    }

    fn member(&self, id: &str) -> Option<usize> {
        let index = if id == "primary" {
            self.members.iter().position(|member| member.calendar.spec.primary)
        } else {
            self.by_id.get(id).copied()
        };
        index.filter(|&index| !self.members[index].removed)
    }

    pub(super) fn calendar(&self, id: &str) -> Option<&Calendar> {
        self.member(id).map(|index| &self.members[index].calendar)
    }

    pub(super) fn calendar_mut(&mut self, id: &str) -> Option<&mut Calendar> {
        self.member(id).map(|index| &mut self.members[index].calendar)
    }

    pub(super) const fn expire_sync_tokens(&mut self) {
        self.sync_epoch += 1;
    }

    /// Answers `calendarList.list`.
    pub(super) fn list(&self, google: &Google, query: &Query) -> Reply {
        self.try_list(google, query).unwrap_or_else(|refused| refused)
    }

    fn try_list(&self, google: &Google, query: &Query) -> Result<Reply, Reply> {
        let limit = query.max_results(100, 250, google.page_cap)?;
        let show_deleted = query.flag("showDeleted")?;
        let show_hidden = query.flag("showHidden")?;
        let least = match query.get("minAccessRole") {
            None => 0,
            Some(role) => ROLES
                .iter()
                .position(|&known| known == role)
                .ok_or_else(|| errors::parameter(400, "invalid", None, "minAccessRole"))?,
        };
        let cursor = self.cursor(google, query)?;
        let changes = cursor.kind == Kind::ChangesPage;
        let mut due: Vec<(u64, &Member)> = self
            .members
            .iter()
            .zip(0_u64..)
            .map(|(member, index)| (if changes { member.version } else { index }, member))
            .filter(|&(place, member)| place >= cursor.next && (!changes || member.version <= cursor.upto))
            .filter(|(_, member)| changes || show_deleted || !member.removed)
            .filter(|(_, member)| changes || show_hidden || !member.calendar.spec.hidden)
            .filter(|(_, member)| changes || rank(&member.calendar.spec.access_role) >= least)
            .collect();
        due.sort_unstable_by_key(|&(place, _)| place);

        let items: Vec<Value> = due.iter().take(limit).map(|(_, member)| entry(member)).collect();
        let mut body = json!({
            "kind": "calendar#calendarList",
            "etag": format!("\"p{:015}\"", self.version),
            "items": items,
        });
        if let Some(&(next, _)) = due.get(limit) {
            body["nextPageToken"] = json!(google.codec.encode(&Cursor { next, ..cursor }));
        } else {
            let sync = Cursor { kind: Kind::Sync, epoch: self.sync_epoch, shape: 0, next: 0, ..cursor };
            body["nextSyncToken"] = json!(google.codec.encode(&sync));
        }
        Ok(Reply::json(200, body.to_string()))
    }

    fn cursor(&self, google: &Google, query: &Query) -> Result<Cursor, Reply> {
        let collection = hash_text(COLLECTION);
        let shape = shape(
            query
                .iter()
                .filter(|&(name, value)| !["maxResults", "pageToken"].contains(&name) && value != "false"),
        );
        if query.get("syncToken").is_some() {
            let restricted = ["minAccessRole", "showOwnOrganizationOnly"];
            if restricted.iter().any(|name| query.get(name).is_some()) {
                return Err(errors::parameter(400, "syncTokenWithRequestRestrictions", None, "syncToken"));
            }
            if ["showDeleted", "showHidden"].iter().any(|name| query.get(name) == Some("false")) {
                return Err(errors::parameter(400, "syncTokenWithRequestRestrictions", None, "syncToken"));
            }
        }
        let fresh = Cursor {
            kind: Kind::Page,
            collection,
            epoch: 0,
            shape,
            next: 0,
            upto: self.version,
            window: Window::ALL,
            paused: false,
        };
        if let Some(token) = query.get("pageToken") {
            return google
                .codec
                .decode(token)
                .filter(|cursor| cursor.kind != Kind::Sync && cursor.collection == collection)
                .filter(|cursor| cursor.shape == shape)
                .ok_or_else(|| {
                    errors::parameter(400, "invalid", Some("Invalid page token value."), "pageToken")
                });
        }
        let Some(token) = query.get("syncToken") else { return Ok(fresh) };
        let since = google
            .codec
            .decode(token)
            .filter(|cursor| cursor.kind == Kind::Sync && cursor.collection == collection)
            .ok_or_else(|| {
                errors::parameter(400, "invalid", Some("Invalid sync token value."), "syncToken")
            })?;
        if since.epoch != self.sync_epoch {
            return Err(errors::parameter(410, "fullSyncRequired", None, "syncToken"));
        }
        Ok(Cursor { kind: Kind::ChangesPage, next: since.upto + 1, ..fresh })
    }
}

/// An unknown role is worth the least.
fn rank(role: &str) -> usize {
    ROLES.iter().position(|&known| known == role).unwrap_or(0)
}

fn entry(member: &Member) -> Value {
    let spec = &member.calendar.spec;
    let etag = format!("\"{:016}\"", 1_700_000_000_000_000 + member.version);
    if member.removed {
        return json!({"kind": "calendar#calendarListEntry", "etag": etag, "id": spec.id, "deleted": true});
    }
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": etag,
        "id": spec.id,
        "summary": spec.summary,
        "timeZone": spec.time_zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": true,
        "accessRole": spec.access_role,
        "defaultReminders": [{"method": "popup", "minutes": 10}],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    });
    if let Some(description) = &spec.description {
        entry["description"] = json!(description);
    }
    for (flag, set) in [("primary", spec.primary), ("hidden", spec.hidden)] {
        if set {
            entry[flag] = json!(true);
        }
    }
    entry
}
