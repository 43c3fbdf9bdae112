//! Who calls, and what may the caller see?
//!
//! A token is a user's own (an OAuth app's, or a personal one), which has scopes; or a user's through a
//! GitHub App, which has none; or an installation's. The latter two open what installations cover, with
//! the permissions of these. Who may not see a repository is told that there is none.

use std::collections::BTreeMap;

use http::header::AUTHORIZATION;

use super::GitHub;
use super::errors::{not_for_apps, refused};
use super::hub::Hub;
use super::limits::Payer;
use super::operation::{Callers, Row};
use super::repository::Repository;
use super::user::UserKey;
use crate::oauth::{InstallationSpec, Kind};
use crate::server::{Call, Reply};

/// What a call's token is.
#[derive(Debug)]
pub(super) enum Token {
    None,
    /// A user's, with these scopes.
    Scoped(Vec<String>),
    /// A user's through the app.
    OfApp,
    /// An installation's, for these repositories of it, all of them when there are none.
    Installation(u64, Vec<String>),
}

/// Who calls.
pub(super) struct Caller {
    pub(super) token: Token,
    pub(super) account: Option<UserKey>,
    /// The installations whose repositories an app's token opens.
    pub(super) installations: Vec<InstallationSpec>,
    /// Those of an installation's token, which may be fewer than the installation's.
    permissions: BTreeMap<String, String>,
    /// What the entity tags of the answers depend on.
    pub(super) secret: String,
}

impl Caller {
    /// Who holds a call's token.
    pub(super) fn of(github: &GitHub, call: &Call) -> Result<Self, Reply> {
        let secret = call.header(AUTHORIZATION).unwrap_or_default().to_owned();
        let nobody = |token| Self {
            token,
            account: None,
            installations: Vec::new(),
            permissions: BTreeMap::new(),
            secret,
        };
        if !call.headers.contains_key(AUTHORIZATION) {
            return Ok(nobody(Token::None));
        }
        let holder = github.authority.holder(call)?;
        let account = holder.account.and_then(|index| github.hub().accounts.get(index).copied());
        let known = github.authority.installations();
        Ok(match holder.kind {
            Kind::Installation(id) => {
                let installation = known.into_iter().find(|installation| installation.id() == id);
                let installation = installation.ok_or_else(|| refused(401, "Bad credentials", ""))?;
                if installation.is_suspended() {
                    return Err(refused(403, "This installation has been suspended", ""));
                }
                Self {
                    installations: vec![installation],
                    permissions: holder.permissions,
                    ..nobody(Token::Installation(id, holder.scopes))
                }
            }
            _ if holder.chosen || github.authority.lasts() => {
                Self { account, ..nobody(Token::Scoped(holder.scopes)) }
            }
            _ => {
                let installations = known.into_iter().filter(|known| !known.is_suspended()).collect();
                Self { account, installations, ..nobody(Token::OfApp) }
            }
        })
    }

    pub(super) fn payer(&self) -> Payer {
        match (&self.token, self.account) {
            (Token::Installation(id, _), _) => Payer::Installation(*id),
            (_, Some(account)) => Payer::User(account),
            (_, None) => Payer::Anonymous,
        }
    }

    pub(super) fn scopes(&self) -> Option<&[String]> {
        match &self.token {
            Token::Scoped(scopes) => Some(scopes),
            _ => None,
        }
    }

    pub(super) fn has_any(&self, scopes: &[&str]) -> bool {
        self.scopes().unwrap_or_default().iter().any(|granted| scopes.contains(&granted.as_str()))
    }

    /// Refuses an operation that is not for this kind of token.
    pub(super) fn may_call(&self, row: &Row) -> Result<(), Reply> {
        let of_app = matches!(self.token, Token::OfApp | Token::Installation(..));
        match row.callers {
            Callers::All => Ok(()),
            _ if matches!(self.token, Token::None) => Err(refused(401, "Requires authentication", row.docs)),
            Callers::Users if self.account.is_some() => Ok(()),
            Callers::UsersWithoutApp if !of_app => match row.scopes.first() {
                Some(needed) if !self.has_any(row.scopes) => {
                    Err(refused(403, &format!("Missing the '{needed}' scope."), row.docs))
                }
                _ => Ok(()),
            },
            Callers::Users | Callers::UsersWithoutApp => Err(not_for_apps("")),
            Callers::UsersOfApp if matches!(self.token, Token::OfApp) => Ok(()),
            Callers::UsersOfApp => {
                let text = "You must authenticate with an access token authorized to a GitHub App in order to list installations";
                Err(refused(403, text, row.docs))
            }
            Callers::Installations if matches!(self.token, Token::Installation(..)) => Ok(()),
            Callers::Installations => {
                let text = "You must authenticate with an installation access token in order to list repositories for an installation.";
                Err(refused(403, text, row.docs))
            }
        }
    }

    /// The installation through which the caller comes to a repository.
    fn covering(&self, hub: &Hub, repository: &Repository) -> Option<&InstallationSpec> {
        let narrowed: &[String] = match &self.token {
            Token::Installation(_, names) => names,
            _ => &[],
        };
        let owner = &hub.roster.get(repository.owner).login;
        self.installations.iter().find(|installation| {
            let names = installation.repositories();
            let within = |names: &[String]| names.is_empty() || hub.lists(names, repository);
            installation.login().eq_ignore_ascii_case(owner) && within(names) && within(narrowed)
        })
    }

    /// Whether the caller comes to a repository as one of those that it is open to, public or not.
    pub(super) fn belongs(&self, hub: &Hub, repository: &Repository) -> bool {
        let member = self.account.is_none_or(|account| repository.has_member(account));
        match self.token {
            Token::None => false,
            Token::Scoped(_) => member && (!repository.private || self.has_any(&["repo"])),
            Token::OfApp | Token::Installation(..) => member && self.covering(hub, repository).is_some(),
        }
    }

    /// Whether the caller may know of a repository.
    pub(super) fn sees(&self, hub: &Hub, repository: &Repository) -> bool {
        !repository.private || self.belongs(hub, repository)
    }

    /// Refuses an app that has none of these permissions in a repository.
    pub(super) fn is_permitted(
        &self,
        hub: &Hub,
        repository: &Repository,
        permissions: &[&str],
    ) -> Result<(), Reply> {
        let Some(installation) = self.covering(hub, repository) else { return Ok(()) };
        let has = |wanted: &str| {
            let narrowed = matches!(self.token, Token::Installation(..));
            installation.permissions().contains_key(wanted)
                && (!narrowed || self.permissions.contains_key(wanted))
        };
        // Every app may read metadata.
        if permissions.iter().any(|wanted| *wanted == "metadata" || has(wanted)) {
            return Ok(());
        }
        let accepted: Vec<_> = permissions.iter().map(|wanted| format!("{wanted}=read")).collect();
        Err(not_for_apps(&accepted.join("; ")))
    }
}
