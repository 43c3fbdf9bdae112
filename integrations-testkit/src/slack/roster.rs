//! Who is in the workspace, and how does Slack show a user?

use std::collections::HashMap;

use chrono::{DateTime, Offset as _, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::ids::made_up_text;
use super::spec::{Standing, UserSpec};
use crate::patch::merge;
use crate::random::{hash_text, mix};

/// What a user who was deactivated has no more.
const OF_THE_LIVING: &[&str] = &[
    "color",
    "real_name",
    "tz",
    "tz_label",
    "tz_offset",
    "is_admin",
    "is_owner",
    "is_primary_owner",
    "is_restricted",
    "is_ultra_restricted",
    "is_email_confirmed",
    "who_can_share_contact_card",
];

#[derive(Debug)]
enum Seat {
    User(Map<String, Value>),
    /// Text of the test, served as it is.
    Raw(String),
    Removed,
}

/// What a method shows of a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) email: bool,
    pub(super) locale: bool,
}

/// The users, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Roster {
    seats: Vec<Seat>,
    by_id: HashMap<String, usize>,
}

impl Roster {
    /// Adds a user, or replaces the one with the same id; returns the id.
    pub(super) fn add(&mut self, mut spec: UserSpec, team: &str, seed: u64, now: DateTime<Utc>) -> String {
        let made_up = made_up_text(b'U', mix(seed) ^ hash_text(&spec.name) ^ hash_text(team));
        let id = spec.id.take().unwrap_or(made_up);
        let user = object(spec, &id, team, now);
        if let Some(&seat) = self.by_id.get(&id) {
            self.seats[seat] = Seat::User(user);
        } else {
            self.by_id.insert(id.clone(), self.seats.len());
            self.seats.push(Seat::User(user));
        }
        id
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.seats.push(Seat::Raw(text.to_owned()));
    }

    fn user(&self, id: &str) -> Option<&Map<String, Value>> {
        match self.seats.get(*self.by_id.get(id)?)? {
            Seat::User(user) => Some(user),
            _ => None,
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.user(id).is_some()
    }

    pub(super) fn is_deleted(&self, id: &str) -> bool {
        self.user(id).is_none_or(|user| user["deleted"] == json!(true))
    }

    /// The short name of a user, or the id of one who is not there.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.user(id).and_then(|user| user["name"].as_str()).unwrap_or(id)
    }

    pub(super) fn show(&self, id: &str, shown: Shown) -> Option<Value> {
        self.user(id).map(|user| show(user, shown))
    }

    pub(super) fn len(&self) -> usize {
        self.seats.iter().filter(|seat| !matches!(seat, Seat::Removed)).count()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.seats.iter().filter_map(|seat| match seat {
            Seat::User(user) => user["id"].as_str(),
            _ => None,
        })
    }

    /// The users from a place on, as text.
    pub(super) fn listed(&self, from: u64, shown: Shown) -> impl Iterator<Item = (u64, String)> + '_ {
        let seats = self.seats.iter().zip(0_u64..);
        seats.skip_while(move |&(_, place)| place < from).filter_map(move |(seat, place)| match seat {
            Seat::User(user) => Some((place, show(user, shown).to_string())),
            Seat::Raw(text) => Some((place, text.clone())),
            Seat::Removed => None,
        })
    }

    /// Changes a user; false when there is none.
    pub(super) fn change(&mut self, id: &str, patch: Value, now: DateTime<Utc>) -> bool {
        let Some(Seat::User(user)) = self.by_id.get(id).map(|&seat| &mut self.seats[seat]) else {
            return false;
        };
        let mut changed = Value::Object(std::mem::take(user));
        merge(&mut changed, json!({"updated": now.timestamp()}));
        merge(&mut changed, patch);
        if let Value::Object(changed) = changed {
            *user = changed;
        }
        true
    }

    /// Deactivates a user; false when there is none.
    pub(super) fn deactivate(&mut self, id: &str, now: DateTime<Utc>) -> bool {
        let patch: Map<_, _> = OF_THE_LIVING.iter().map(|&field| (field.to_owned(), Value::Null)).collect();
        let mut patch = Value::Object(patch);
        patch["deleted"] = json!(true);
        self.change(id, patch, now)
    }

    /// Takes a user out, as if there had never been one; false when there is none.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let seat = self.by_id.remove(id);
        seat.map(|seat| self.seats[seat] = Seat::Removed).is_some()
    }
}

fn show(user: &Map<String, Value>, shown: Shown) -> Value {
    let mut user = user.clone();
    if let Some(Value::Object(profile)) = user.get_mut("profile").filter(|_| !shown.email) {
        profile.remove("email");
    }
    if shown.locale && user["deleted"] == json!(false) {
        user.insert("locale".to_owned(), json!("en-US"));
    }
    Value::Object(user)
}

/// A user as Slack keeps it.
fn object(spec: UserSpec, id: &str, team: &str, now: DateTime<Utc>) -> Map<String, Value> {
    let UserSpec { name, display_name, title, status, standing, .. } = spec;
    let Ok(zone) = spec.time_zone.parse::<Tz>() else {
        panic!("user {name:?}: {:?} is no IANA time zone", spec.time_zone);
    };
    let offset = now.with_timezone(&zone).offset().fix().local_minus_utc();
    let real_name = spec.real_name.as_deref().unwrap_or(&name);
    let (first, last) = real_name.split_once(' ').unwrap_or((real_name, ""));
    let hash = format!("g{:011x}", hash_text(id) >> 20);
    let mut user = json!({
        "id": id,
        "team_id": team,
        "name": name,
        "deleted": false,
        "color": format!("{:06x}", hash_text(id) & 0x00ff_ffff),
        "real_name": real_name,
        "tz": zone.name(),
        "tz_label": zone.name(),
        "tz_offset": offset,
        "profile": {
            "title": title,
            "phone": "",
            "skype": "",
            "real_name": real_name,
            "real_name_normalized": real_name,
            "display_name": display_name,
            "display_name_normalized": display_name,
            "fields": null,
            "status_text": status.0,
            "status_text_canonical": "",
            "status_emoji": status.1,
            "status_emoji_display_info": [],
            "status_expiration": 0,
            "avatar_hash": hash,
            "first_name": first,
            "last_name": last,
            "team": team,
        },
        "is_admin": standing == Standing::Admin,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": matches!(standing, Standing::Guest | Standing::SingleChannelGuest),
        "is_ultra_restricted": standing == Standing::SingleChannelGuest,
        "is_bot": spec.bot.is_some(),
        "is_app_user": spec.app_user,
        "updated": now.timestamp(),
        "is_email_confirmed": spec.email.is_some(),
        "who_can_share_contact_card": "EVERYONE",
    });
    for size in [24, 32, 48, 72, 192, 512] {
        let image = format!("https://secure.gravatar.com/avatar/{hash}.jpg?s={size}");
        user["profile"][format!("image_{size}")] = json!(image);
    }
    if let Some(bot) = &spec.bot {
        let made_up = made_up_text(b'B', hash_text(id));
        user["profile"]["bot_id"] = json!(if bot.is_empty() { &made_up } else { bot });
        user["profile"]["api_app_id"] = json!("A0FAKEAPP0");
        user["profile"]["always_active"] = json!(true);
    }
    if let Some(email) = &spec.email {
        user["profile"]["email"] = json!(email);
    }
    match user {
        Value::Object(mut user) => {
            if spec.deleted {
                user.retain(|field, _| !OF_THE_LIVING.contains(&field.as_str()));
                user.insert("deleted".to_owned(), json!(true));
            }
            user
        }
        _ => Map::new(),
    }
}
