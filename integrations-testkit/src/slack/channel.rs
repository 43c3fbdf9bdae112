//! What is a channel, and how does Slack show it?

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::timeline::Timeline;

/// What `types` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Private,
    Im,
    Mpim,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Public, Self::Private, Self::Mpim, Self::Im];

    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }

    pub(super) const fn read_scope(self) -> &'static str {
        match self {
            Self::Public => "channels:read",
            Self::Private => "groups:read",
            Self::Im => "im:read",
            Self::Mpim => "mpim:read",
        }
    }

    pub(super) const fn history_scope(self) -> &'static str {
        match self {
            Self::Public => "channels:history",
            Self::Private => "groups:history",
            Self::Im => "im:history",
            Self::Mpim => "mpim:history",
        }
    }

    /// What a made-up id begins with.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Public => b'C',
            Self::Private | Self::Mpim => b'G',
            Self::Im => b'D',
        }
    }

    /// Whether it is a conversation of certain people, without joining and leaving.
    pub(super) const fn is_direct(self) -> bool {
        matches!(self, Self::Im | Self::Mpim)
    }
}

/// A topic or a purpose.
#[derive(Debug, Clone, Default)]
pub(super) struct Note {
    value: String,
    creator: String,
    last_set: i64,
}

impl Note {
    pub(super) fn new(value: &str, creator: &str, now: DateTime<Utc>) -> Self {
        if value.is_empty() {
            return Self::default();
        }
        Self { value: value.to_owned(), creator: creator.to_owned(), last_set: now.timestamp() }
    }

    fn shown(&self) -> Value {
        json!({"value": self.value, "creator": self.creator, "last_set": self.last_set})
    }
}

/// What a method shows of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) viewer: &'a str,
    pub(super) num_members: bool,
    pub(super) is_member: bool,
    pub(super) locale: bool,
}

/// One channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) topic: Note,
    pub(super) purpose: Note,
    pub(super) creator: String,
    /// In seconds.
    pub(super) created: i64,
    /// In milliseconds.
    pub(super) updated: i64,
    pub(super) archived: bool,
    pub(super) general: bool,
    pub(super) ext_shared: bool,
    /// With whom the direct messages are.
    pub(super) peer: Option<String>,
    pub(super) timeline: Timeline,
    previous_names: Vec<String>,
    /// By the order in which they joined.
    members: BTreeMap<u64, String>,
    joined: u64,
}

impl Channel {
    pub(super) fn new(
        id: String,
        kind: Kind,
        name: String,
        creator: String,
        created: i64,
        timeline: Timeline,
    ) -> Self {
        Self {
            id,
            kind,
            name,
            topic: Note::default(),
            purpose: Note::default(),
            creator,
            created,
            updated: created * 1_000,
            archived: false,
            general: false,
            ext_shared: false,
            peer: None,
            timeline,
            previous_names: Vec::new(),
            members: BTreeMap::new(),
            joined: 0,
        }
    }

    pub(super) fn is_member(&self, user: &str) -> bool {
        self.members.values().any(|member| member == user)
    }

    /// Makes a user a member; false when the user is one.
    pub(super) fn join(&mut self, user: &str) -> bool {
        if self.is_member(user) {
            return false;
        }
        self.members.insert(self.joined, user.to_owned());
        self.joined += 1;
        true
    }

    /// False when the user is no member.
    pub(super) fn leave(&mut self, user: &str) -> bool {
        let before = self.members.len();
        self.members.retain(|_, member| member != user);
        self.members.len() < before
    }

    /// The members from a place on, for a viewer: the app's others in a direct conversation of two are not
    /// in it.
    pub(super) fn members<'a>(
        &'a self,
        from: u64,
        viewer: &'a str,
    ) -> impl Iterator<Item = (u64, &'a str)> + 'a {
        self.members.range(from..).map(|(&place, member)| (place, member.as_str())).filter(
            move |(_, member)| match &self.peer {
                Some(peer) => *member == viewer || member == peer,
                None => true,
            },
        )
    }

    /// Whether the caller may know of it.
    pub(super) fn is_visible(&self, user: &str) -> bool {
        self.kind == Kind::Public || self.is_member(user)
    }

    pub(super) fn rename(&mut self, name: &str) -> String {
        let before = std::mem::replace(&mut self.name, name.to_owned());
        self.previous_names.insert(0, before.clone());
        before
    }

    pub(super) fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = now.timestamp_millis();
    }

    /// The channel as a method shows it.
    pub(super) fn object(&self, view: View<'_>, team: &str, peer_deleted: bool) -> Value {
        let mut object = json!({
            "id": self.id,
            "created": self.created,
            "is_archived": self.archived,
            "is_im": self.kind == Kind::Im,
            "is_org_shared": false,
            "context_team_id": team,
            "updated": self.updated,
        });
        if let Some(peer) = &self.peer {
            merge(&mut object, json!({"user": peer, "is_user_deleted": peer_deleted, "priority": 0}));
            return object;
        }
        // Private channels made since 2021 are channels that are private; before they were groups.
        let group = self.kind != Kind::Public && !self.id.starts_with('C');
        merge(
            &mut object,
            json!({
                "name": self.name,
                "name_normalized": self.name,
                "previous_names": self.previous_names,
                "is_channel": !group && self.kind != Kind::Mpim,
                "is_group": group || self.kind == Kind::Mpim,
                "is_mpim": self.kind == Kind::Mpim,
                "is_private": self.kind != Kind::Public,
                "is_general": self.general,
                "is_shared": self.ext_shared,
                "is_ext_shared": self.ext_shared,
                "is_pending_ext_shared": false,
                "pending_shared": [],
                "pending_connected_team_ids": [],
                "shared_team_ids": [team],
                "parent_conversation": null,
                "unlinked": 0,
                "creator": self.creator,
                "topic": self.topic.shown(),
                "purpose": self.purpose.shown(),
            }),
        );
        if view.is_member {
            object["is_member"] = json!(self.is_member(view.viewer));
        }
        if view.num_members {
            object["num_members"] = json!(self.members.len());
        }
        if view.locale {
            object["locale"] = json!("en-US");
        }
        object
    }
}

fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
