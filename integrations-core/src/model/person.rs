//! Who is it?

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::open_enum::open_enum;
use super::time::Zone;

/// A person, a group, a room or a bot, as another item names them: an author, a guest, an assignee.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PersonRef {
    /// The provider's id, that of the [`Person`] where the service has a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The e-mail address, as it was sent; [`address`](Self::address) is good for comparing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the provider says that it is the user whose account this is.
    #[serde(default, rename = "self", skip_serializing_if = "std::ops::Not::not")]
    pub is_self: bool,
    /// Whether it is a program.
    #[serde(default, rename = "bot", skip_serializing_if = "std::ops::Not::not")]
    pub is_bot: bool,
}

impl PersonRef {
    /// Somebody with an address.
    pub fn email(address: impl Into<String>) -> Self {
        Self { email: Some(address.into()), ..Self::default() }
    }

    /// Somebody with an id.
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// The e-mail address in the form that is equal for the same person at every service; see
    /// [`identity::address`](super::identity::address).
    pub fn address(&self) -> Option<Cow<'_, str>> {
        self.email.as_deref().map(super::identity::address)
    }
}

/// A member of a directory, e.g. of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Person {
    /// The provider's id.
    pub id: String,
    /// The name to show: the one that the person chose, where they chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The whole name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// The short name that the person signs in or is mentioned with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The e-mail address, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The telephone number, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What they do, e.g. `Engineer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// What sort of member it is.
    #[serde(default)]
    pub kind: PersonKind,
    /// Whether the account is in use.
    #[serde(default)]
    pub status: PersonStatus,
    /// The provider's id of the organisation that they belong to, e.g. a workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The zone that they live in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// The language and region, e.g. `en-GB` (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A picture of them; as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// What they say of themselves at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// Whether they administer the organisation.
    #[serde(default, rename = "admin", skip_serializing_if = "std::ops::Not::not")]
    pub is_admin: bool,
    /// When the entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Person {
    /// A member with nothing but an id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            full_name: None,
            login: None,
            email: None,
            phone: None,
            job_title: None,
            kind: PersonKind::default(),
            status: PersonStatus::default(),
            organization_id: None,
            time_zone: None,
            locale: None,
            avatar_url: None,
            presence: None,
            is_admin: false,
            updated_at: None,
        }
    }
}

open_enum! {
    /// What sort of member a person is.
    #[derive(Default)]
    PersonKind {
        /// A full member.
        #[default]
        Member = "member",
        /// Somebody who may see a part.
        Guest = "guest",
        /// Somebody of another organisation.
        External = "external",
        /// A program.
        Bot = "bot",
    }
}

open_enum! {
    /// Whether a person's account is in use.
    #[derive(Default)]
    PersonStatus {
        /// It is.
        #[default]
        Active = "active",
        /// It is not any more.
        Deactivated = "deactivated",
        /// They were asked and have not come yet.
        Invited = "invited",
    }
}

/// What a person says of themselves at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Presence {
    /// The text, e.g. `On holiday`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The emoji, by its name between colons, e.g. `:palm_tree:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// Until when; `None` for no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}
