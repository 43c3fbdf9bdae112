//! What is known of a user?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::ids;
use super::time::text;
use crate::patch::{merge, merge_all};
use crate::random::{hash_text, mix};

/// A user of the account.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) zone: Tz,
    pub(super) pmi: u64,
    pub(super) status: String,
    pub(super) created: DateTime<Utc>,
    /// What a test said about what is shown, in order.
    pub(super) patches: Vec<Value>,
    pub(super) removed: bool,
}

impl User {
    pub(super) fn new(seed: u64, id: &str, email: &str, name: &str, zone: Tz, now: DateTime<Utc>) -> Self {
        Self {
            id: id.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            zone,
            pmi: ids::personal(mix(seed) ^ hash_text(id)),
            status: "active".to_owned(),
            created: now,
            patches: Vec::new(),
            removed: false,
        }
    }

    /// What a listing shows of it.
    fn row(&self) -> Value {
        let (first, last) = self.name.rsplit_once(' ').unwrap_or((&self.name, ""));
        json!({
            "id": self.id,
            "first_name": first,
            "last_name": last,
            "display_name": self.name,
            "email": self.email,
            "type": 2,
            "pmi": self.pmi,
            "timezone": self.zone.name(),
            "verified": 1,
            "dept": "",
            "created_at": text(self.created),
            "last_login_time": text(self.created),
            "last_client_version": "6.1.0.42000(mac)",
            "pic_url": format!("https://us02web.zoom.us/p/{}/photo", self.id),
            "language": "en-US",
            "im_group_ids": [],
            "status": self.status,
            "role_id": "2",
        })
    }

    pub(super) fn listed(&self) -> String {
        self.patched(self.row()).to_string()
    }

    /// What the user's own address shows.
    pub(super) fn object(&self, account: &str) -> Value {
        let mut object = self.row();
        let more = json!({
            "account_id": account,
            "role_name": "Member",
            "use_pmi": false,
            "personal_meeting_url": format!("https://us02web.zoom.us/j/{}", self.pmi),
            "group_ids": [],
            "custom_attributes": [],
            "jid": format!("{}@xmpp.zoom.us", self.id.to_lowercase()),
            "phone_country": "",
            "phone_number": "",
            "manager": "",
        });
        merge(&mut object, more);
        self.patched(object)
    }

    fn patched(&self, mut object: Value) -> Value {
        merge_all(&mut object, &self.patches);
        object
    }
}
