//! Who can sign in?

use super::dialect::Dialect;
use crate::random::{Draw, hash_text, mix};

/// The tenant of Microsoft's personal accounts.
pub(super) const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// An account that can sign in at a fake. Only its address is needed.
///
/// ```
/// use integrations_testkit::oauth::AccountSpec;
///
/// let grace = AccountSpec::new("grace@navy.example").name("Grace Hopper").organization("T0NAVY");
/// # drop(grace);
/// ```
#[derive(Debug, Clone)]
pub struct AccountSpec {
    email: String,
    name: Option<String>,
    id: Option<String>,
    organization: Option<String>,
    hides_email: bool,
}

impl AccountSpec {
    /// An account with this address, and everything else made up from it.
    pub fn new(email: &str) -> Self {
        Self { email: email.to_owned(), name: None, id: None, organization: None, hides_email: false }
    }

    /// The person's name. Default: made from the address.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The provider's stable id: Google's `sub`, Slack's user, Microsoft's `oid`, GitHub's number, Zoom's
    /// user. Default: made from the address, in the provider's form.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// What the account belongs to: Slack's team, Microsoft's tenant, Zoom's account. Default: one for the
    /// whole fake. Google and GitHub have none.
    pub fn organization(mut self, organization: &str) -> Self {
        self.organization = Some(organization.to_owned());
        self
    }

    /// Makes it a personal Microsoft account, whose tenant is the one that they all share.
    pub fn personal(self) -> Self {
        self.organization(PERSONAL_TENANT)
    }

    /// The address is not told: Microsoft's `mail` and GitHub's `email` are null.
    pub fn hides_email(mut self) -> Self {
        self.hides_email = true;
        self
    }

    pub(super) fn build(self, dialect: Dialect, seed: u64) -> Account {
        let local = self.email.split('@').next().unwrap_or_default();
        let mut letters = local.chars();
        let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
        Account {
            name: self.name.or(name).unwrap_or_default(),
            id: self.id.unwrap_or_else(|| made_up(dialect, &self.email, seed, "U")),
            organization: self.organization.unwrap_or_else(|| made_up(dialect, "organization", seed, "T")),
            email: self.email,
            hides_email: self.hides_email,
        }
    }
}

impl From<&str> for AccountSpec {
    fn from(email: &str) -> Self {
        Self::new(email)
    }
}

/// An account of a fake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Its address, which is also the name to sign in with.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The provider's stable id.
    pub id: String,
    /// Slack's team, Microsoft's tenant, Zoom's account.
    pub organization: String,
    hides_email: bool,
}

impl Account {
    /// GitHub's login, and the short names elsewhere.
    pub(crate) fn login(&self) -> &str {
        self.email.split('@').next().unwrap_or_default()
    }

    pub(super) fn domain(&self) -> &str {
        self.email.split_once('@').map_or("", |(_, domain)| domain)
    }

    pub(crate) fn shown_email(&self) -> Option<&str> {
        Some(self.email.as_str()).filter(|_| !self.hides_email)
    }

    pub(super) fn given_and_family_name(&self) -> (&str, &str) {
        self.name.rsplit_once(' ').unwrap_or((&self.name, ""))
    }

    /// Whether a parameter of an authorization request, or a test, means this account.
    pub(super) fn answers_to(&self, hint: &str) -> bool {
        let names = [&self.email, &self.id, &self.organization];
        names.iter().any(|name| name.eq_ignore_ascii_case(hint)) || self.login().eq_ignore_ascii_case(hint)
    }

    /// The id of this name's mailbox at Slack, for what belongs to the app and not to the person.
    pub(crate) fn bot(&self) -> (String, String) {
        let key = hash_text(&self.organization);
        (format!("U{}", capitals(mix(key))), format!("B{}", capitals(mix(key ^ 1))))
    }
}

fn made_up(dialect: Dialect, from: &str, seed: u64, letter: &str) -> String {
    let key = mix(hash_text(from) ^ mix(seed) ^ hash_text(dialect.name()));
    match dialect {
        Dialect::Google => format!("1{key:020}"),
        Dialect::Slack => format!("{letter}{}", capitals(key)),
        Dialect::Microsoft => guid(key),
        Dialect::GitHub => format!("{}", key % 90_000_000 + 10_000_000),
        Dialect::Zoom => {
            const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            spell(key, 22, ALPHABET)
        }
    }
}

fn capitals(key: u64) -> String {
    spell(key, 10, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
}

fn spell(key: u64, length: usize, alphabet: &[u8]) -> String {
    let mut draw = Draw::new(key);
    (0..length).map(|_| char::from(*draw.pick(alphabet))).collect()
}

/// A version 4 UUID.
pub(super) fn guid(key: u64) -> String {
    let (high, low) = (mix(key), mix(key ^ 0x5bd1_e995));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_has_the_providers_form_and_depends_on_the_seed() {
        let make = |dialect, email: &str, seed| AccountSpec::new(email).build(dialect, seed);
        for dialect in Dialect::ALL {
            let ada = make(dialect, "ada@example.com", 1);
            assert_eq!(ada, make(dialect, "ada@example.com", 1));
            assert_ne!(ada.id, make(dialect, "grace@example.com", 1).id);
            assert_ne!(ada.id, make(dialect, "ada@example.com", 2).id);
            assert_eq!(ada.organization, make(dialect, "grace@example.com", 1).organization);
            assert_eq!((ada.name.as_str(), ada.login()), ("Ada", "ada"));
        }
        let slack = make(Dialect::Slack, "a@b", 1);
        assert!(slack.id.starts_with('U') && slack.organization.starts_with('T') && slack.id.len() == 11);
        let parts: Vec<usize> = make(Dialect::Microsoft, "a@b", 1).id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(make(Dialect::GitHub, "a@b", 1).id.parse::<u64>().is_ok());
    }
}
