//! Can every case of the suite `token_store` fail?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::{Connection, ConnectionId, ConnectionStatus, GrantType, Owner};
use integrations_core::{Error, ErrorKind, Result};
use integrations_testkit::conformance;
use integrations_testkit::conformance::token_store::CASES;

use super::{flaws, gap};

flaws!(TokenStore of Twin {
    /// Reading what is not there is an error.
    UnknownIsAnError: [an_unknown_connection_is_not_there],
    /// It is always said that there was one.
    DeleteSaysYes: [an_unknown_connection_is_not_there, delete_says_whether_there_was_one],
    /// It is never said that there was one.
    DeleteSaysNo: [delete_says_whether_there_was_one, deleting_at_once_has_one_winner],
    /// What is deleted stays.
    DeleteDoesNothing: [delete_says_whether_there_was_one, put_of_a_version_that_is_not_there_writes_nothing],
    /// What is alike is deleted, too.
    DeleteTakesOthers: [delete_says_whether_there_was_one],
    /// Looking and deleting are two steps.
    DeleteIsTwoSteps: [deleting_at_once_has_one_winner],
    /// What was deleted can never be there again.
    DeletedIsForEver: [a_deleted_connection_can_come_back],
    /// Every connection is a user's.
    GrantIsLost: [put_creates_a_connection_and_keeps_every_field],
    /// What the provider wants to see is not kept.
    ChallengeIsLost: [put_creates_a_connection_and_keeps_every_field],
    /// That an exchange is under way is not kept.
    RefreshingIsLost: [put_creates_a_connection_and_keeps_every_field],
    /// There is a version, and it is read back as 0.
    VersionIsNotRead: [
        put_creates_a_connection_and_keeps_every_field,
        put_writes_over_the_version_that_it_has_read,
    ],
    /// Version 0 writes over what is there.
    CreatingReplaces: [put_does_not_create_what_is_there],
    /// A refused write is written.
    RefusedIsWritten: [put_does_not_create_what_is_there, put_over_another_version_writes_nothing],
    /// Every version is 1.
    VersionStandsStill: [put_writes_over_the_version_that_it_has_read],
    /// Whoever comes last wins.
    VersionIsNotChecked: [
        put_over_another_version_writes_nothing,
        writing_at_once_has_one_winner,
        a_version_from_before_a_deletion_is_stale,
    ],
    /// A version that nobody can have read is good.
    VersionMayBeAhead: [put_over_another_version_writes_nothing],
    /// Writing what is not there creates it, whatever the version.
    PutRevives: [put_of_a_version_that_is_not_there_writes_nothing],
    /// Versions begin at 1 again.
    VersionsComeBack: [a_version_from_before_a_deletion_is_stale],
    /// Looking and creating are two steps.
    CreatingIsTwoSteps: [creating_at_once_has_one_winner],
    /// Looking and writing over are two steps.
    WritingIsTwoSteps: [writing_at_once_has_one_winner],
    /// Whoever writes something else meanwhile is in the way.
    WholeStoreIsLocked: [writing_others_at_once_is_no_conflict],
    /// The last id comes first.
    ListIsReversed: [list_gives_all_in_the_order_of_their_ids],
    /// The order of a dictionary.
    ListFoldsCase: [list_gives_all_in_the_order_of_their_ids],
    /// What is listed has no version.
    ListLosesTheVersion: [list_gives_all_in_the_order_of_their_ids],
    /// A user id is the same user in every tenant.
    OwnerHasNoTenant: [list_filters_by_owner_and_tells_tenants_apart],
    /// The filter by owner is not known.
    OwnerIsIgnored: [list_filters_by_owner_and_tells_tenants_apart, list_gives_pages],
    /// The filter by service is not known.
    ServiceIsIgnored: [list_filters_by_service],
    /// The filter by service makes that by owner forgotten.
    ServiceIsInstead: [list_filters_by_service],
    /// The filter by tenant is not known.
    TenantIsIgnored: [list_filters_by_tenant_and_by_status],
    /// The filter by status is not known.
    StatusIsIgnored: [list_filters_by_tenant_and_by_status],
    /// Each page is the first one.
    AfterIsIgnored: [list_gives_pages, list_goes_on_behind_what_was_deleted],
    /// A page begins with the last of the one before.
    AfterIsInclusive: [list_gives_pages],
    /// All is one page.
    LimitIsIgnored: [list_gives_pages, list_goes_on_behind_what_was_deleted],
    /// A page is cut off before the filter has looked at it.
    LimitComesFirst: [list_gives_pages],
    /// A page begins behind the place of a connection, which has to be there.
    AfterIsAPlace: [list_goes_on_behind_what_was_deleted],
    /// Everybody gets the guard.
    GuardIsForAll: [a_guard_has_one_holder, a_guard_runs_out_by_the_clock],
    /// The guard is of another connection.
    GuardIsMisnamed: [a_guard_has_one_holder],
    /// A guard runs out when somebody looks a moment later.
    GuardRunsOutLate: [a_guard_runs_out_by_the_clock, acquiring_a_guard_that_has_run_out_at_once_has_one_winner],
    /// A guard does not run out.
    GuardIsForEver: [a_guard_runs_out_by_the_clock],
    /// A guard runs out within half of its time.
    GuardRunsOutEarly: [a_guard_runs_out_by_the_clock],
    /// All holders have the same name.
    HoldersAreAlike: [a_guard_runs_out_by_the_clock, a_guard_that_has_run_out_cannot_release_its_successor],
    /// A guard is held until it runs out.
    ReleaseDoesNothing: [a_released_guard_is_free],
    /// Whoever releases frees it, whoever holds it.
    ReleaseIsForAll: [a_guard_that_has_run_out_cannot_release_its_successor],
    /// Releasing late is an error.
    ReleaseIsStrict: [a_guard_that_has_run_out_cannot_release_its_successor],
    /// There is one guard for all connections.
    GuardIsShared: [guards_of_connections_are_independent],
    /// Releasing one frees all.
    ReleaseFreesAll: [guards_of_connections_are_independent],
    /// Looking and taking are two steps.
    GuardIsTwoSteps: [acquiring_a_guard_at_once_has_one_winner],
    /// Looking and taking are two steps where a guard has run out.
    TakingOverIsTwoSteps: [acquiring_a_guard_that_has_run_out_at_once_has_one_winner],
});

#[derive(Debug)]
struct Twin {
    clock: Arc<ManualClock>,
    flaw: Option<Flaw>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    connections: BTreeMap<ConnectionId, Connection>,
    /// The highest version of a connection that was deleted.
    deleted: u64,
    /// The ids of those that were deleted.
    gone: BTreeSet<ConnectionId>,
    /// Counts the writes.
    writes: u64,
    guards: HashMap<ConnectionId, (String, Duration)>,
    guard_count: u64,
}

impl Twin {
    fn new(clock: Arc<ManualClock>, flaw: Option<Flaw>) -> Self {
        Self { clock, flaw, inner: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// What is kept of a connection.
    fn kept(&self, connection: &Connection, version: u64) -> Connection {
        let mut kept = Connection { version, ..connection.clone() };
        match self.flaw {
            Some(Flaw::GrantIsLost) => kept.grant = GrantType::User,
            Some(Flaw::RefreshingIsLost) => kept.refreshing_since = None,
            Some(Flaw::ChallengeIsLost) => {
                if let ConnectionStatus::ReauthorizationRequired { challenge, .. } = &mut kept.status {
                    *challenge = None;
                }
            }
            _ => {}
        }
        kept
    }

    /// Whether a write goes through.
    fn admits(&self, connection: &Connection, stored: u64) -> bool {
        let version = connection.version;
        version == stored
            || match self.flaw {
                Some(Flaw::CreatingReplaces) => version == 0,
                Some(Flaw::VersionIsNotChecked) => version > 0 && stored > 0,
                Some(Flaw::VersionMayBeAhead) => version > stored && stored > 0,
                Some(Flaw::PutRevives) => stored == 0,
                _ => false,
            }
    }

    fn matches(&self, filter: &ConnectionFilter, connection: &Connection) -> bool {
        let mut filter = filter.clone();
        match self.flaw {
            Some(Flaw::OwnerIsIgnored) => filter.owner = None,
            Some(Flaw::ServiceIsInstead) if filter.service.is_some() => filter.owner = None,
            Some(Flaw::ServiceIsIgnored) => filter.service = None,
            Some(Flaw::TenantIsIgnored) => filter.tenant = None,
            Some(Flaw::StatusIsIgnored) => filter.status = None,
            Some(Flaw::OwnerHasNoTenant) => {
                let tenant = &connection.owner.tenant;
                filter.owner = filter.owner.map(|owner| Owner { tenant: tenant.clone(), ..owner });
            }
            _ => {}
        }
        filter.matches(connection)
    }

    /// The connection whose guard is asked for.
    fn guarded(&self, id: &ConnectionId) -> ConnectionId {
        if self.has(Flaw::GuardIsShared) { "all".into() } else { id.clone() }
    }
}

fn stale() -> Error {
    Error::new(ErrorKind::Conflict, "somebody else has written the connection")
}

#[async_trait]
impl TokenStore for Twin {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let mut found = self.inner().connections.get(id).cloned();
        if found.is_none() && self.has(Flaw::UnknownIsAnError) {
            return Err(Error::new(ErrorKind::Store, "no such connection"));
        }
        if let Some(connection) = found.as_mut().filter(|_| self.has(Flaw::VersionIsNotRead)) {
            connection.version = 0;
        }
        Ok(found)
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        let id = &connection.id;
        let (stored, writes) = {
            let mut inner = self.inner();
            let stored = inner.connections.get(id).map_or(0, |stored| stored.version);
            if self.has(Flaw::DeletedIsForEver) && inner.gone.contains(id) {
                return Err(stale());
            }
            if !self.admits(connection, stored) {
                if self.has(Flaw::RefusedIsWritten) {
                    inner.connections.insert(id.clone(), self.kept(connection, stored));
                }
                return Err(stale());
            }
            (stored, inner.writes)
        };
        let two_steps = match self.flaw {
            Some(Flaw::CreatingIsTwoSteps) => stored == 0,
            Some(Flaw::WritingIsTwoSteps) => stored > 0,
            Some(Flaw::WholeStoreIsLocked) => true,
            _ => false,
        };
        if two_steps {
            gap().await;
        }
        let mut inner = self.inner();
        if self.has(Flaw::WholeStoreIsLocked) && inner.writes != writes {
            return Err(stale());
        }
        inner.writes += 1;
        let version = match self.flaw {
            Some(Flaw::VersionStandsStill) => 1,
            Some(Flaw::VersionsComeBack) => stored + 1,
            _ if stored == 0 => inner.deleted + 1,
            _ => stored + 1,
        };
        inner.connections.insert(id.clone(), self.kept(connection, version));
        Ok(version)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        let there = self.inner().connections.get(id).map(|connection| connection.version);
        if self.has(Flaw::DeleteIsTwoSteps) {
            gap().await;
        }
        let mut inner = self.inner();
        if let Some(version) = there {
            inner.deleted = inner.deleted.max(version);
            inner.gone.insert(id.clone());
            match self.flaw {
                Some(Flaw::DeleteDoesNothing) => {}
                Some(Flaw::DeleteTakesOthers) => {
                    inner.connections.retain(|other, _| other.as_str().len() != id.as_str().len());
                }
                _ => drop(inner.connections.remove(id)),
            }
        }
        Ok(match self.flaw {
            Some(Flaw::DeleteSaysYes) => true,
            Some(Flaw::DeleteSaysNo) => false,
            _ => there.is_some(),
        })
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let inner = self.inner();
        let after = filter.after.as_ref().filter(|_| !self.has(Flaw::AfterIsIgnored));
        if after.is_some_and(|after| self.has(Flaw::AfterIsAPlace) && !inner.connections.contains_key(after))
        {
            return Ok(Vec::new());
        }
        let inclusive = self.has(Flaw::AfterIsInclusive);
        let mut listed: Vec<Connection> = inner
            .connections
            .values()
            .filter(|one| after.is_none_or(|after| one.id > *after || (inclusive && one.id == *after)))
            .cloned()
            .collect();
        let limit = filter.limit.filter(|_| !self.has(Flaw::LimitIsIgnored)).unwrap_or(usize::MAX);
        if self.has(Flaw::LimitComesFirst) {
            listed.truncate(limit);
        }
        listed.retain(|connection| self.matches(filter, connection));
        listed.truncate(limit);
        match self.flaw {
            Some(Flaw::ListIsReversed) => listed.reverse(),
            Some(Flaw::ListFoldsCase) => listed.sort_by_key(|one| one.id.as_str().to_lowercase()),
            Some(Flaw::ListLosesTheVersion) => listed.iter_mut().for_each(|one| one.version = 0),
            _ => {}
        }
        Ok(listed)
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        let (key, now) = (self.guarded(id), self.clock.monotonic());
        let held = self.inner().guards.get(&key).map(|(_, until)| *until);
        if let Some(until) = held
            && !self.has(Flaw::GuardIsForAll)
            && (now < until
                || self.has(Flaw::GuardIsForEver)
                || (self.has(Flaw::GuardRunsOutLate) && now == until))
        {
            return Ok(None);
        }
        let two_steps = match self.flaw {
            Some(Flaw::GuardIsTwoSteps) => true,
            Some(Flaw::TakingOverIsTwoSteps) => held.is_some(),
            _ => false,
        };
        if two_steps {
            gap().await;
        }
        let mut inner = self.inner();
        inner.guard_count += 1;
        let holder =
            if self.has(Flaw::HoldersAreAlike) { "me".to_owned() } else { inner.guard_count.to_string() };
        let ttl = if self.has(Flaw::GuardRunsOutEarly) { ttl / 2 } else { ttl };
        inner.guards.insert(key, (holder.clone(), now + ttl));
        let connection = if self.has(Flaw::GuardIsMisnamed) { "another".into() } else { id.clone() };
        Ok(Some(RefreshGuard { connection, holder }))
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        let key = self.guarded(&guard.connection);
        let mut inner = self.inner();
        let own = inner.guards.get(&key).is_some_and(|(holder, _)| *holder == guard.holder);
        match self.flaw {
            Some(Flaw::ReleaseDoesNothing) => return Ok(()),
            Some(Flaw::ReleaseFreesAll) => inner.guards.clear(),
            Some(Flaw::ReleaseIsStrict) if !own => {
                return Err(Error::new(ErrorKind::Conflict, "the guard is held by somebody else"));
            }
            _ => {}
        }
        if own || self.has(Flaw::ReleaseIsForAll) {
            inner.guards.remove(&key);
        }
        Ok(())
    }
}
