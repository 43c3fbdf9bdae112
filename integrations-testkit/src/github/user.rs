//! Who is on GitHub, and how is a user shown?

use std::collections::HashMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::json::{entries, text};
use super::view::{Seen, View, WEB};
use crate::random::{hash_text, mix};

/// A place in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UserKey(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    User,
    Organization,
    Bot,
}

/// A user, an organization or a bot.
///
/// ```
/// use integrations_testkit::github::UserSpec;
///
/// let grace = UserSpec::new("grace").name("Grace Hopper");
/// let octo = UserSpec::organization("octo-org");
/// let bot = UserSpec::bot("dependabot");
/// # drop((grace, octo, bot));
/// ```
#[derive(Debug, Clone)]
pub struct UserSpec {
    login: String,
    sort: Sort,
    id: Option<u64>,
    name: Option<String>,
}

impl UserSpec {
    /// A person.
    pub fn new(login: &str) -> Self {
        Self { login: login.to_owned(), sort: Sort::User, id: None, name: None }
    }

    /// An organization.
    pub fn organization(login: &str) -> Self {
        Self { sort: Sort::Organization, ..Self::new(login) }
    }

    /// The bot of an app; its login ends in `[bot]`.
    pub fn bot(app: &str) -> Self {
        Self { sort: Sort::Bot, ..Self::new(&format!("{app}[bot]")) }
    }

    /// The number. Default: made up.
    pub fn id(mut self, id: u64) -> Self {
        self.id = Some(id);
        self
    }

    /// The person's name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) login: String,
    pub(super) id: u64,
    pub(super) sort: Sort,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    /// A deleted account: what it did is nobody's.
    pub(super) gone: bool,
}

/// Everybody, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Roster {
    users: Vec<User>,
    by_login: HashMap<String, UserKey>,
}

impl Roster {
    /// Adds a user.
    ///
    /// # Panics
    /// When the login is taken.
    pub(super) fn add(&mut self, spec: UserSpec, email: Option<&str>, seed: u64) -> UserKey {
        let made_up = mix(hash_text(&spec.login) ^ mix(seed)) % 90_000_000 + 10_000_000;
        let key = UserKey(self.users.len());
        let before = self.by_login.insert(spec.login.to_lowercase(), key);
        assert!(before.is_none(), "there is a user {:?} already", spec.login);
        self.users.push(User {
            id: spec.id.unwrap_or(made_up),
            login: spec.login,
            sort: spec.sort,
            name: spec.name,
            email: email.map(str::to_owned),
            gone: false,
        });
        key
    }

    pub(super) fn get(&self, key: UserKey) -> &User {
        &self.users[key.0]
    }

    /// A user who has not been deleted, by the login, in which case does not matter.
    pub(super) fn find(&self, login: &str) -> Option<UserKey> {
        self.by_login.get(&login.to_lowercase()).copied()
    }

    pub(super) fn rename(&mut self, key: UserKey, login: &str) {
        let before = std::mem::replace(&mut self.users[key.0].login, login.to_owned());
        self.by_login.remove(&before.to_lowercase());
        let taken = self.by_login.insert(login.to_lowercase(), key);
        assert!(taken.is_none(), "there is a user {login:?} already");
    }

    pub(super) fn delete(&mut self, key: UserKey) {
        self.users[key.0].gone = true;
        self.by_login.remove(&self.users[key.0].login.to_lowercase());
    }
}

/// Addresses of a user's, behind that of the user.
const LINKS: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

impl User {
    pub(super) fn node_id(&self) -> String {
        match self.sort {
            // As the OAuth server tells it.
            Sort::User => format!("U_kgDO{}", self.id),
            Sort::Organization => format!("O_kgDO{}", self.id),
            Sort::Bot => format!("BOT_kgDO{}", self.id),
        }
    }

    /// The login without what marks a bot.
    pub(super) fn short(&self) -> &str {
        self.login.trim_end_matches("[bot]")
    }

    pub(super) const fn type_name(&self) -> &'static str {
        match self.sort {
            Sort::User => "User",
            Sort::Organization => "Organization",
            Sort::Bot => "Bot",
        }
    }

    fn write<M: serde::ser::SerializeMap>(&self, view: View<'_>, map: &mut M) -> Result<(), M::Error> {
        let Self { login, id, .. } = self;
        let login_in_path = login.replace('[', "%5B").replace(']', "%5D");
        let (api, apps) = (view.api, if self.sort == Sort::Bot { "/apps" } else { "" });
        entries!(map, {
            "login": login,
            "id": id,
            "node_id": self.node_id(),
            "avatar_url": text!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            "gravatar_id": "",
            "url": text!("{api}/users/{login_in_path}"),
            "html_url": text!("{WEB}{apps}/{}", self.short()),
        });
        for (name, rest) in LINKS {
            map.serialize_entry(name, &text!("{api}/users/{login_in_path}{rest}"))?;
        }
        entries!(map, {"type": self.type_name(), "user_view_type": "public", "site_admin": false});
        Ok(())
    }
}

impl Serialize for Seen<'_, &User> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.item.write(self.view, &mut map)?;
        map.end()
    }
}

/// The caller, who sees more of the account.
pub(super) struct Oneself<'a>(pub(super) &'a User);

impl Serialize for Seen<'_, Oneself<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = self.item.0;
        let mut map = serializer.serialize_map(None)?;
        user.write(self.view, &mut map)?;
        entries!(map, {
            "name": user.name,
            "company": (),
            "blog": "",
            "location": (),
            "email": user.email,
            "hireable": (),
            "bio": (),
            "twitter_username": (),
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        });
        map.end()
    }
}
