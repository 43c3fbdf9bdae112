//! What is there on this GitHub?

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::generate::{self, BOT, Generator, PEOPLE, Scene};
use super::label::{DEFAULTS, Label, Milestone};
use super::notification::Notification;
use super::repository::Repository;
use super::spec::RepoSpec;
use super::tracker::Tracker;
use super::user::{Roster, UserKey, UserSpec};

/// How many milestones a generated repository has.
const MILESTONES: u64 = 3;

/// What a listing of repositories shows at a place.
#[derive(Debug)]
pub(super) enum Seat {
    Repository(Box<Repository>),
    /// Text of the test, served as it is.
    Raw(String),
    Removed,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct Hub {
    seed: u64,
    start: DateTime<Utc>,
    pub(super) roster: Roster,
    /// The users that the accounts are, in their order.
    pub(super) accounts: Vec<UserKey>,
    pub(super) seats: Vec<Seat>,
    by_id: HashMap<u64, usize>,
    /// Full names in lower case, of now and of before.
    by_name: HashMap<String, u64>,
    pub(super) notifications: Vec<Notification>,
    /// Text of the test, served as it is, and when it came.
    pub(super) raw_notifications: Vec<(i64, String)>,
    /// When there was last news, in seconds.
    pub(super) news: i64,
    next_id: u64,
    cast: Option<Arc<[UserKey]>>,
}

impl Hub {
    pub(super) fn new(seed: u64, start: DateTime<Utc>) -> Self {
        Self {
            seed,
            start,
            roster: Roster::default(),
            accounts: Vec::new(),
            seats: Vec::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            notifications: Vec::new(),
            raw_notifications: Vec::new(),
            news: start.timestamp(),
            next_id: 2_000_000_000,
            cast: None,
        }
    }

    /// An id that nothing has yet.
    pub(super) const fn fresh_id(&mut self) -> u64 {
        self.reserve(1)
    }

    /// The first of so many ids that nothing has yet.
    const fn reserve(&mut self, ids: u64) -> u64 {
        let first = self.next_id;
        self.next_id += ids;
        first
    }

    pub(super) fn add_user(&mut self, spec: UserSpec, email: Option<&str>) -> UserKey {
        self.roster.add(spec, email, self.seed)
    }

    /// Who writes in generated repositories.
    fn cast(&mut self) -> Arc<[UserKey]> {
        if let Some(cast) = &self.cast {
            return Arc::clone(cast);
        }
        let people = PEOPLE.iter().map(|[login, name]| UserSpec::new(login).name(name));
        let everybody: Vec<_> = people.chain([UserSpec::bot(BOT)]).collect();
        let known = |hub: &mut Self, spec: UserSpec, login: &str| {
            hub.roster.find(login).unwrap_or_else(|| hub.add_user(spec, None))
        };
        let mut cast = Vec::new();
        for (number, spec) in everybody.into_iter().enumerate() {
            let login =
                PEOPLE.get(number).map_or_else(|| format!("{BOT}[bot]"), |[login, _]| (*login).to_owned());
            cast.push(known(self, spec, &login));
        }
        let cast: Arc<[UserKey]> = cast.into();
        self.cast = Some(Arc::clone(&cast));
        cast
    }

    pub(super) fn repository(&self, id: u64) -> Option<&Repository> {
        match self.seats.get(*self.by_id.get(&id)?)? {
            Seat::Repository(repository) => Some(repository),
            _ => None,
        }
    }

    pub(super) fn repository_mut(&mut self, id: u64) -> Option<&mut Repository> {
        match self.seats.get_mut(*self.by_id.get(&id)?)? {
            Seat::Repository(repository) => Some(repository),
            _ => None,
        }
    }

    /// The id of the repository that has, or once had, this full name, and whether it has it now.
    pub(super) fn named(&self, full_name: &str) -> Option<(u64, bool)> {
        let id = *self.by_name.get(&full_name.to_lowercase())?;
        let now = self.repository(id)?.full_name(self);
        Some((id, now.eq_ignore_ascii_case(full_name)))
    }

    /// The repositories, in the order in which they came.
    pub(super) fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.seats.iter().filter_map(|seat| match seat {
            Seat::Repository(repository) => Some(&**repository),
            _ => None,
        })
    }

    /// Whether an installation's list of full names has a repository, by a name of now or of before.
    pub(super) fn lists(&self, names: &[String], repository: &Repository) -> bool {
        let now = repository.full_name(self);
        let all = repository.former.iter().chain([&now]);
        all.into_iter().any(|name| names.iter().any(|listed| listed.eq_ignore_ascii_case(name)))
    }

    /// Adds a repository; returns its id.
    ///
    /// # Panics
    /// When the name or the id is taken, or a member is no user.
    pub(super) fn add_repository(&mut self, spec: RepoSpec, now: i64) -> u64 {
        let full_name = format!("{}/{}", spec.owner, spec.name);
        let taken = self.named(&full_name).is_some_and(|(_, now)| now);
        assert!(!taken, "there is a repository {full_name:?} already");
        let owner = self.roster.find(&spec.owner);
        let owner = owner.unwrap_or_else(|| self.add_user(UserSpec::organization(&spec.owner), None));
        let members = spec.members.map(|members| {
            let find = |login: &String| {
                self.roster.find(login).unwrap_or_else(|| panic!("no user {login:?} in this fake"))
            };
            members.iter().map(find).collect()
        });
        let id = spec.id.unwrap_or_else(|| self.fresh_id() - 1_500_000_000);
        assert!(!self.by_id.contains_key(&id), "there is a repository with the id {id} already");
        let labels: Vec<Label> = DEFAULTS
            .iter()
            .map(|[name, color, description]| Label {
                id: self.fresh_id(),
                name: (*name).to_owned(),
                color: (*color).to_owned(),
                description: Some((*description).to_owned()),
                default: true,
            })
            .collect();
        let created = if spec.generated > 0 { generate::dawn(self.start) } else { now };
        let generated = spec.generated > 0;
        let milestones: Vec<Milestone> = (1..=if generated { MILESTONES } else { 0 })
            .map(|number| Milestone {
                id: self.fresh_id(),
                number,
                title: format!("v{number}.0"),
                description: None,
                creator: Some(owner),
                created,
                updated: created,
                closed: None,
                due: (number > 1).then_some(now + i64::try_from(number).unwrap_or(0) * 30 * 86_400),
            })
            .collect();
        let scene = Scene {
            // Eight ids an issue, for what belongs to it.
            first_id: self.reserve((spec.generated + 1) * 8),
            cast: if generated { self.cast() } else { Arc::from([owner]) },
            labels: labels.iter().map(|label| label.id).collect(),
            milestones: milestones.len() as u64,
        };
        let generator = Generator::new(self.seed, spec.generated, self.start, scene);
        let repository = Repository {
            id,
            owner,
            name: spec.name,
            former: Vec::new(),
            description: spec.description,
            private: spec.private,
            archived: spec.archived,
            fork: spec.fork,
            has_issues: spec.has_issues,
            members,
            created,
            updated: now,
            pushed: now,
            labels,
            milestones,
            tracker: Tracker::new(generator),
            checks: HashMap::new(),
            patch: None,
        };
        self.by_id.insert(id, self.seats.len());
        self.by_name.insert(full_name.to_lowercase(), id);
        self.seats.push(Seat::Repository(Box::new(repository)));
        id
    }

    /// Gives a repository another full name; the one that it had leads to it still.
    pub(super) fn rename(&mut self, id: u64, owner: &str, name: &str) {
        let full_name = format!("{owner}/{name}");
        let taken = self.named(&full_name).is_some_and(|(_, now)| now);
        assert!(!taken, "there is a repository {full_name:?} already");
        let owner = self.roster.find(owner);
        let owner = owner.unwrap_or_else(|| panic!("no user {owner:?} in this fake"));
        let before = self.repository(id).map(|repository| repository.full_name(self)).unwrap_or_default();
        self.by_name.insert(full_name.to_lowercase(), id);
        if let Some(repository) = self.repository_mut(id) {
            repository.former.push(before);
            repository.owner = owner;
            name.clone_into(&mut repository.name);
        }
    }

    /// A user has another login: the repositories' full names change with it.
    pub(super) fn rename_user(&mut self, key: UserKey, login: &str) {
        let owned: Vec<_> = self.repositories().filter(|repository| repository.owner == key).collect();
        let names: Vec<_> = owned
            .iter()
            .map(|repository| (repository.id, repository.full_name(self), &repository.name))
            .collect();
        let names: Vec<_> =
            names.into_iter().map(|(id, before, name)| (id, before, format!("{login}/{name}"))).collect();
        self.roster.rename(key, login);
        for (id, before, now) in names {
            self.by_name.insert(now.to_lowercase(), id);
            if let Some(repository) = self.repository_mut(id) {
                repository.former.push(before);
            }
        }
    }

    /// Removes a repository, as if there had never been one.
    pub(super) fn remove(&mut self, id: u64) {
        if let Some(seat) = self.by_id.remove(&id) {
            self.seats[seat] = Seat::Removed;
        }
        self.by_name.retain(|_, known| *known != id);
        self.notifications.retain(|notification| notification.repository != id);
    }

    /// There is news; what comes in the same second counts as later.
    pub(super) fn note(&mut self, now: i64) {
        self.news = now.max(self.news + 1);
    }
}
