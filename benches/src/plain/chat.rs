//! What a workspace of Slack's holds, with the fields that our normaliser reads. Blocks stay as they are, where
//! ours writes them out as text.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub struct Message {
    pub ts: String,
    pub subtype: Option<String>,
    pub user: Option<String>,
    pub bot_id: Option<String>,
    pub bot_profile: Option<Bot>,
    pub username: Option<String>,
    pub text: Option<String>,
    #[serde(default)]
    pub blocks: Vec<Value>,
    #[serde(default)]
    pub attachments: Vec<Value>,
    #[serde(default)]
    pub files: Vec<File>,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    pub edited: Option<Edited>,
    pub thread_ts: Option<String>,
    pub reply_count: Option<u64>,
    pub latest_reply: Option<String>,
    #[serde(default)]
    pub reply_users: Vec<String>,
    pub permalink: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Bot {
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Edited {
    pub ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Reaction {
    pub name: String,
    pub count: u64,
    #[serde(default)]
    pub users: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct File {
    pub id: Option<String>,
    pub name: Option<String>,
    pub title: Option<String>,
    pub mimetype: Option<String>,
    pub size: Option<u64>,
    pub mode: Option<String>,
    pub url_private: Option<String>,
    pub permalink: Option<String>,
}

#[derive(Debug, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "Slack's fields")]
pub struct Channel {
    pub id: String,
    pub name: Option<String>,
    pub user: Option<String>,
    pub creator: Option<String>,
    pub topic: Option<Note>,
    pub purpose: Option<Note>,
    #[serde(default)]
    pub is_im: bool,
    #[serde(default)]
    pub is_mpim: bool,
    #[serde(default)]
    pub is_group: bool,
    #[serde(default)]
    pub is_private: bool,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub is_general: bool,
    #[serde(default)]
    pub is_ext_shared: bool,
    pub is_member: Option<bool>,
    pub num_members: Option<u64>,
    pub created: Option<u64>,
    pub updated: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct Note {
    pub value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "Slack's fields")]
pub struct User {
    pub id: String,
    pub team_id: Option<String>,
    pub name: Option<String>,
    pub real_name: Option<String>,
    pub tz: Option<String>,
    pub locale: Option<String>,
    pub profile: Option<Profile>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub is_owner: bool,
    #[serde(default)]
    pub is_restricted: bool,
    #[serde(default)]
    pub is_ultra_restricted: bool,
    #[serde(default)]
    pub is_bot: bool,
    pub updated: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct Profile {
    pub display_name: Option<String>,
    pub real_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub title: Option<String>,
    pub status_text: Option<String>,
    pub status_emoji: Option<String>,
    pub status_expiration: Option<i64>,
    pub image_original: Option<String>,
    pub image_512: Option<String>,
}
