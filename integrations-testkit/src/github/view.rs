//! Through whose eyes is an object shown?

use serde::{Serialize, Serializer};

use super::hub::Hub;
use super::user::UserKey;

/// Where people look at it.
pub(super) const WEB: &str = "https://github.com";

/// In which forms a body is shown, as a media type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) raw: bool,
    pub(super) text: bool,
    pub(super) html: bool,
    /// What `X-GitHub-Media-Type` says.
    pub(super) name: &'static str,
}

/// A version of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V2022,
    V2026,
}

/// What all objects of an answer are shown by.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) hub: &'a Hub,
    /// The base of the API's addresses, as the caller knows it.
    pub(super) api: &'a str,
    pub(super) media: Media,
    pub(super) version: Version,
}

/// Something, as it is shown.
pub(super) struct Seen<'a, T> {
    pub(super) view: View<'a>,
    pub(super) item: T,
}

impl<'a> View<'a> {
    pub(super) const fn show<T>(self, item: T) -> Seen<'a, T> {
        Seen { view: self, item }
    }

    /// Several things, as they are shown.
    pub(super) const fn list<T>(self, items: T) -> Each<'a, T> {
        Each { view: self, items }
    }

    /// A user; nobody where the account was deleted.
    pub(super) fn user(self, key: Option<UserKey>) -> Option<Seen<'a, &'a super::user::User>> {
        let user = self.hub.roster.get(key?);
        (!user.gone).then(|| self.show(user))
    }

    /// Those of several users who have not been deleted.
    pub(super) fn users<'k>(
        self,
        keys: &'k [UserKey],
    ) -> Each<'a, impl Iterator<Item = &'a super::user::User> + Clone + use<'a, 'k>> {
        let users = keys.iter().map(move |&key| self.hub.roster.get(key));
        self.list(users.filter(|user| !user.gone))
    }
}

/// A list, as it is shown.
pub(super) struct Each<'a, T> {
    view: View<'a>,
    items: T,
}

impl<'a, T: Clone + IntoIterator<Item = I>, I> Serialize for Each<'a, T>
where
    Seen<'a, I>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.clone().into_iter().map(|item| self.view.show(item)))
    }
}
