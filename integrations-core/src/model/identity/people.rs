//! Are two people, as two services name them, the same?

use std::borrow::Cow;
use std::fmt;

use super::address;
use crate::connection::{Account, ServiceId};
use crate::model::{Person, PersonRef};

/// Somebody at a service: a [`PersonRef`] of an item, a [`Person`] of a directory, or the [`Account`] of a
/// connection.
///
/// ```
/// use integrations_core::model::PersonRef;
/// use integrations_core::model::identity::{SamePerson, Someone};
///
/// let (slack, github) = ("slack".into(), "github".into());
/// let author = PersonRef { id: Some("U1".into()), ..PersonRef::email("Ada@Example.com") };
/// let assignee = PersonRef { id: Some("583231".into()), ..PersonRef::email("ada@example.com ") };
/// let same = Someone::named(&slack, &author).same(&Someone::named(&github, &assignee));
/// assert_eq!(same, Some(SamePerson::Address));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Someone<'a> {
    service: &'a ServiceId,
    id: Option<&'a str>,
    organization: Option<&'a str>,
    address: Option<Cow<'a, str>>,
}

/// By what two people are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SamePerson {
    /// The service has one id for both.
    Id,
    /// They have one e-mail address, at the same service or at two. A list or a shared mailbox has one, too.
    Address,
}

/// What to look a person up by. People who are the [same](Someone::same) share one; those who share one are
/// the same, unless they belong to two organisations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PersonKey {
    /// The id at a service.
    Id(ServiceId, Box<str>),
    /// The e-mail address, as [`address`] writes it.
    Address(Box<str>),
}

impl<'a> Someone<'a> {
    /// Somebody whom an item of the service names.
    pub fn named(service: &'a ServiceId, person: &'a PersonRef) -> Self {
        Self::new(service, person.id.as_deref(), None, person.email.as_deref())
    }

    /// A member of the service's directory.
    pub fn member(service: &'a ServiceId, person: &'a Person) -> Self {
        let organization = person.organization_id.as_deref();
        Self::new(service, Some(&person.id), organization, person.email.as_deref())
    }

    /// The owner of an account at the service.
    pub fn account(service: &'a ServiceId, account: &'a Account) -> Self {
        Self::new(service, Some(account.id.as_str()), None, account.email.as_deref())
    }

    fn new(
        service: &'a ServiceId,
        id: Option<&'a str>,
        organization: Option<&'a str>,
        email: Option<&'a str>,
    ) -> Self {
        Self {
            service,
            id: id.filter(|id| !id.is_empty()),
            organization,
            address: email.map(address).filter(|address| !address.is_empty()),
        }
    }

    /// Whether they are the same, and by what; `None` where nothing says so.
    ///
    /// An id counts within its service, and within its organisation where both sides know one. Two ids do not
    /// make two people: somebody may have an account in each of two organisations.
    pub fn same(&self, other: &Self) -> Option<SamePerson> {
        let organizations = self.organization.zip(other.organization);
        let one_organization = organizations.is_none_or(|(one, other)| one == other);
        if self.service == other.service && one_organization && self.id.is_some() && self.id == other.id {
            Some(SamePerson::Id)
        } else if self.address.is_some() && self.address == other.address {
            Some(SamePerson::Address)
        } else {
            None
        }
    }

    /// What to look them up by.
    pub fn keys(&self) -> impl Iterator<Item = PersonKey> + use<> {
        let id = self.id.map(|id| PersonKey::Id(self.service.clone(), id.into()));
        let address = self.address.as_deref().map(|address| PersonKey::Address(address.into()));
        id.into_iter().chain(address)
    }
}

/// An id behind its service, or an address.
impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(service, id) => write!(f, "{service}:{id}"),
            Self::Address(address) => f.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, organization: &str, email: Option<&str>) -> Person {
        let mut person = Person::new(id);
        person.organization_id = Some(organization.to_owned());
        person.email = email.map(str::to_owned);
        person
    }

    #[test]
    fn people_are_the_same_by_id_or_by_address() {
        let (slack, github) = (ServiceId::new("slack"), ServiceId::new("github"));
        let ada = person("U1", "T1", Some("Ada@Example.com"));
        let guest = person("U9", "T2", Some("ada@example.com"));
        let other = person("U1", "T2", None);
        let account = Account { id: "U1".into(), email: Some("ada@old.example".into()), name: None };
        let by_id = PersonRef::id("U1");
        let by_email = PersonRef::email(" ADA@example.COM ");
        for (one, other, same) in [
            (Someone::member(&slack, &ada), Someone::named(&slack, &by_id), Some(SamePerson::Id)),
            (Someone::member(&slack, &ada), Someone::account(&slack, &account), Some(SamePerson::Id)),
            // An id says nothing at another service, nor in another organisation.
            (Someone::member(&slack, &ada), Someone::named(&github, &by_id), None),
            (Someone::member(&slack, &ada), Someone::member(&slack, &other), None),
            (Someone::member(&slack, &ada), Someone::member(&slack, &guest), Some(SamePerson::Address)),
            (Someone::member(&slack, &ada), Someone::named(&github, &by_email), Some(SamePerson::Address)),
            (Someone::account(&slack, &account), Someone::named(&github, &by_email), None),
        ] {
            assert_eq!(one.same(&other), same, "{one:?} {other:?}");
            assert_eq!(other.same(&one), same, "{other:?} {one:?}");
            let keys = one.keys().collect::<Vec<_>>();
            let shared = other.keys().any(|key| keys.contains(&key));
            assert!(shared || same.is_none(), "{one:?} {other:?}");
        }
    }

    #[test]
    fn nobody_is_not_the_same_as_nobody() {
        let slack = ServiceId::new("slack");
        for person in [PersonRef::default(), PersonRef::email("  "), PersonRef::id("")] {
            assert_eq!(Someone::named(&slack, &person).same(&Someone::named(&slack, &person)), None);
            assert_eq!(Someone::named(&slack, &person).keys().count(), 0);
        }
    }

    #[test]
    fn keys_are_printable() {
        let slack = ServiceId::new("slack");
        let ada = PersonRef { id: Some("U1".into()), ..PersonRef::email("Ada@Example.com") };
        let keys = Someone::named(&slack, &ada).keys().map(|key| key.to_string()).collect::<Vec<_>>();
        assert_eq!(keys, ["slack:U1", "ada@example.com"]);
    }
}
