//! Who may do what? Consents, codes, and the families of tokens that come from them.
//!
//! A family is what one exchange of a code brought, and everything that came of it by refreshing. It
//! lives and ends as a whole; a token in it may also expire, be spent, or give way to a newer one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::dialect::{RefreshLife, Rotation};
use super::grant::{Consent, Extent, Issued, Kind, Locked, Policy, Tally};
use super::refusal::{Refusal, Refused};
use crate::random::Mint;

/// Access tokens are remembered for so long after they expired, to be told from unknown ones.
const MEMORY: TimeDelta = TimeDelta::days(7);

struct Code {
    consent: Consent,
    expires: DateTime<Utc>,
    used: bool,
}

pub(super) struct Family {
    pub(super) kind: Kind,
    pub(super) account: Option<usize>,
    pub(super) scopes: Vec<String>,
    /// What a token of an installation may do.
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) nonce: Option<String>,
    offline: bool,
    live: bool,
    /// The code it came from, which also tells families of one authorization together.
    code: Option<String>,
    access: Vec<String>,
}

impl Family {
    /// Whether it is a user's without a consent: its tokens are those that the test chose.
    pub(super) const fn is_chosen(&self) -> bool {
        self.account.is_some() && self.code.is_none()
    }
}

struct Access {
    family: usize,
    expires: Option<DateTime<Utc>>,
    live: bool,
    claims: Option<String>,
}

struct Refresh {
    family: usize,
    expires: Option<DateTime<Utc>>,
    exchanged: bool,
}

pub(super) struct Ledger {
    policy: Policy,
    mint: Mint,
    /// The oldest first; a family's number is its place.
    families: Vec<Family>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    granted: HashMap<usize, BTreeSet<String>>,
    issued: Vec<String>,
    tally: Tally,
}

impl Ledger {
    pub(super) fn new(policy: Policy, seed: u64) -> Self {
        Self {
            policy,
            mint: Mint::new(seed),
            families: Vec::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            granted: HashMap::new(),
            issued: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// What an account has granted so far, in order.
    pub(super) fn granted(&self, account: usize) -> Vec<String> {
        self.granted.get(&account).map(|scopes| scopes.iter().cloned().collect()).unwrap_or_default()
    }

    /// The user agrees; returns the code.
    pub(super) fn agree(&mut self, mut consent: Consent, now: DateTime<Utc>) -> String {
        let parts = [Some(&consent.first), consent.second.as_ref()].into_iter().flatten();
        let scopes = parts.flat_map(|(_, scopes)| scopes.iter().cloned());
        self.granted.entry(consent.account).or_default().extend(scopes);
        consent.offline &= self.policy.access_life.is_some();
        let code = self.secret(&self.policy.code_prefix.clone());
        let expires = after(now, self.policy.code_life).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.codes.insert(code.clone(), Code { consent, expires, used: false });
        code
    }

    /// Exchanges a code for tokens.
    pub(super) fn redeem(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(Issued, Option<Issued>), Refused> {
        let record = self.codes.get_mut(code).ok_or(Refusal::CodeUnknown)?;
        if std::mem::replace(&mut record.used, true) {
            // RFC 6749, 4.1.2: tokens from a code that comes twice are revoked.
            self.tally.reused_codes += 1;
            for family in self.families.iter_mut().filter(|family| family.code.as_deref() == Some(code)) {
                family.live = false;
            }
            return Err(Refusal::CodeUsed.into());
        }
        if now >= record.expires {
            return Err(Refusal::CodeExpired.into());
        }
        let consent = record.consent.clone();
        if consent.redirect_uri != redirect_uri {
            return Err(Refusal::RedirectMismatch.into());
        }
        if let Some(challenge) = &consent.challenge {
            let verifier = verifier.ok_or(Refusal::VerifierMissing)?;
            if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != *challenge {
                return Err(Refusal::VerifierWrong.into());
            }
        }
        self.tally.codes += 1;
        let first = self.found(&consent, code, consent.first.clone(), now);
        let second = consent.second.clone().map(|part| self.found(&consent, code, part, now));
        Ok((first, second))
    }

    /// Begins a family, and issues its first tokens.
    fn found(
        &mut self,
        consent: &Consent,
        code: &str,
        (kind, scopes): (Kind, Vec<String>),
        now: DateTime<Utc>,
    ) -> Issued {
        let family = Family {
            kind,
            account: Some(consent.account),
            scopes,
            permissions: BTreeMap::new(),
            nonce: consent.nonce.clone(),
            offline: consent.offline,
            live: true,
            code: Some(code.to_owned()),
            access: Vec::new(),
        };
        self.make_room(&family);
        let number = self.begin(family);
        self.issue(number, consent.offline, consent.claims.clone(), now)
    }

    /// Ends the oldest families of the same account, so that one more fits in.
    fn make_room(&mut self, next: &Family) {
        let alike = |family: &&mut Family| {
            family.live
                && (family.account, family.kind, family.offline) == (next.account, next.kind, next.offline)
        };
        let held = self.families.iter_mut().filter(alike).count();
        let surplus = (held + 1).saturating_sub(self.policy.authorizations);
        for family in self.families.iter_mut().filter(alike).take(surplus) {
            family.live = false;
        }
    }

    /// Exchanges a refresh token for tokens; `scopes` may ask for fewer than were granted.
    pub(super) fn refresh(
        &mut self,
        token: &str,
        scopes: Option<Vec<String>>,
        claims: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Issued, Refused> {
        let rotation = self.policy.rotation;
        let record = self.refresh.get_mut(token).ok_or(Refusal::RefreshUnknown)?;
        let number = record.family;
        let family = &mut self.families[number];
        if record.exchanged && rotation != Rotation::None {
            self.tally.spent_refresh_tokens += 1;
            if rotation == Rotation::SingleUse {
                if self.policy.family_revocation {
                    family.live = false;
                }
                return Err(Refusal::RefreshSpent.into());
            }
        }
        if !family.live {
            return Err(Refusal::RefreshRevoked.into());
        }
        if record.expires.is_some_and(|expires| now >= expires) {
            return Err(Refusal::RefreshExpired.into());
        }
        let wider = |scope: &String| scope != "offline_access" && !family.scopes.contains(scope);
        if scopes.as_ref().is_some_and(|scopes| scopes.iter().any(wider)) {
            return Err(Refusal::ScopeExceeded.into());
        }
        record.exchanged = true;
        if let RefreshLife::Idle(life) = self.policy.refresh_life {
            record.expires = record.expires.and_then(|_| after(now, life));
        }
        self.tally.refreshes += 1;
        let mut issued = self.issue(number, rotation != Rotation::None, claims, now);
        if let Some(scopes) = scopes {
            issued.scopes = scopes;
        }
        Ok(issued)
    }

    /// A token for no user.
    pub(super) fn mint(
        &mut self,
        kind: Kind,
        scopes: Vec<String>,
        permissions: BTreeMap<String, String>,
        life: Option<Duration>,
        now: DateTime<Utc>,
    ) -> String {
        self.tally.mints += 1;
        self.prune(now);
        let number = self.begin(Family { kind, scopes, permissions, ..open_family() });
        let token = self.secret(&self.policy.app_prefix.clone());
        self.keep(number, token.clone(), life, None, now);
        token
    }

    /// Takes tokens in that the test chose; they never expire.
    pub(super) fn open(&mut self, kind: Kind, access: &[String], refresh: &[String], scopes: &[String]) {
        if access.is_empty() && refresh.is_empty() {
            return;
        }
        let scopes = scopes.to_vec();
        let number = self.begin(Family { kind, account: Some(0), scopes, offline: true, ..open_family() });
        for token in access {
            self.access
                .insert(token.clone(), Access { family: number, expires: None, live: true, claims: None });
        }
        for token in refresh {
            self.refresh.insert(token.clone(), Refresh { family: number, expires: None, exchanged: false });
        }
        self.issued.extend(access.iter().chain(refresh).cloned());
    }

    /// A secret that is no token, such as a signature; it is counted among the issued ones.
    pub(super) fn secret(&mut self, prefix: &str) -> String {
        let secret = format!("{prefix}{}{}", self.policy.canary, self.mint.token());
        self.issued.push(secret.clone());
        secret
    }

    fn begin(&mut self, family: Family) -> usize {
        self.families.push(family);
        self.families.len() - 1
    }

    fn issue(
        &mut self,
        number: usize,
        with_refresh: bool,
        claims: Option<String>,
        now: DateTime<Utc>,
    ) -> Issued {
        self.prune(now);
        let kind = self.families[number].kind;
        let prefix = if kind == Kind::Bot { &self.policy.bot_prefix } else { &self.policy.user_prefix };
        let access = self.secret(&prefix.clone());
        let access_life = self.policy.access_life;
        self.keep(number, access.clone(), access_life, claims, now);
        let refresh_life = match self.policy.refresh_life {
            RefreshLife::Forever => None,
            RefreshLife::Idle(life) | RefreshLife::Fixed(life) => Some(life),
        };
        let refresh = with_refresh.then(|| self.secret(&self.policy.refresh_prefix.clone()));
        if let Some(token) = refresh.clone() {
            let expires = refresh_life.and_then(|life| after(now, life));
            self.refresh.insert(token, Refresh { family: number, expires, exchanged: false });
        }
        let Family { account, scopes, nonce, .. } = &self.families[number];
        Issued {
            kind,
            account: *account,
            scopes: scopes.clone(),
            nonce: nonce.clone(),
            access,
            access_life,
            refresh,
            refresh_life,
        }
    }

    /// Puts an access token in force; the family's oldest gives way where only so many may live.
    fn keep(
        &mut self,
        number: usize,
        token: String,
        life: Option<Duration>,
        claims: Option<String>,
        now: DateTime<Utc>,
    ) {
        let expires = life.and_then(|life| after(now, life));
        self.access.insert(token.clone(), Access { family: number, expires, live: true, claims });
        let family = &mut self.families[number];
        family.access.push(token);
        let surplus = family.access.len().saturating_sub(self.policy.access_tokens);
        for oldest in family.access.drain(..surplus) {
            if let Some(access) = self.access.get_mut(&oldest) {
                access.live = false;
            }
        }
    }

    /// Forgets what has long expired, so that a long run does not grow by every refresh.
    fn prune(&mut self, now: DateTime<Utc>) {
        let fresh = |access: &Access| {
            access.expires.and_then(|at| at.checked_add_signed(MEMORY)).is_none_or(|end| now < end)
        };
        if self.access.values().all(fresh) {
            return;
        }
        self.access.retain(|_, access| fresh(access));
        for family in &mut self.families {
            family.access.retain(|token| self.access.contains_key(token));
        }
    }

    /// The family of a live access token, and the claims that the token was asked for with.
    pub(super) fn unlock(&self, token: &str, now: DateTime<Utc>) -> Result<(&Family, Option<&str>), Locked> {
        let access = self.access.get(token).ok_or(Locked::Unknown)?;
        let family = &self.families[access.family];
        if !access.live || !family.live {
            return Err(Locked::Revoked);
        }
        if access.expires.is_some_and(|expires| now >= expires) {
            return Err(Locked::Expired);
        }
        Ok((family, access.claims.as_deref()))
    }

    fn family_of(&self, token: &str, now: DateTime<Utc>) -> Option<usize> {
        let refresh = self.refresh.get(token).filter(|refresh| {
            let spent = refresh.exchanged && self.policy.rotation == Rotation::SingleUse;
            !spent && refresh.expires.is_none_or(|expires| now < expires)
        });
        let access = || self.unlock(token, now).ok().and_then(|_| self.access.get(token));
        let number =
            refresh.map(|refresh| refresh.family).or_else(|| access().map(|access| access.family))?;
        self.families[number].live.then_some(number)
    }

    /// Ends what the token belongs to; false when it is in force nowhere.
    pub(super) fn revoke(&mut self, token: &str, extent: Extent, now: DateTime<Utc>) -> bool {
        let Some(number) = self.family_of(token, now) else { return false };
        self.tally.revocations += 1;
        match (extent, self.families[number].account) {
            (Extent::Account, Some(account)) => self.end_account(account),
            _ => self.families[number].live = false,
        }
        true
    }

    /// Ends everything that an account granted.
    pub(super) fn end_account(&mut self, account: usize) {
        self.granted.remove(&account);
        self.codes.retain(|_, code| code.consent.account != account);
        for family in self.families.iter_mut().filter(|family| family.account == Some(account)) {
            family.live = false;
        }
    }

    pub(super) const fn count_revocation(&mut self) {
        self.tally.revocations += 1;
    }

    pub(super) fn end_installation(&mut self, id: u64) {
        let kind = Kind::Installation(id);
        self.families.iter_mut().filter(|family| family.kind == kind).for_each(|family| family.live = false);
    }

    pub(super) fn expire_access(&mut self, now: DateTime<Utc>) {
        self.access.values_mut().for_each(|access| access.expires = Some(now));
    }

    pub(super) fn expire_refresh(&mut self, now: DateTime<Utc>) {
        self.refresh.values_mut().for_each(|refresh| refresh.expires = Some(now));
    }

    /// Authorizations by users whose tokens have not been revoked.
    pub(super) fn live_grants(&self) -> usize {
        let users = |family: &&Family| family.live && family.account.is_some();
        let codes: HashSet<_> = self.families.iter().filter(users).map(|family| &family.code).collect();
        codes.len()
    }

    pub(super) fn issued(&self) -> Vec<String> {
        self.issued.clone()
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }
}

const fn open_family() -> Family {
    Family {
        kind: Kind::User,
        account: None,
        scopes: Vec::new(),
        permissions: BTreeMap::new(),
        nonce: None,
        offline: false,
        live: true,
        code: None,
        access: Vec::new(),
    }
}

/// `None` beyond the calendar: such a lifetime never ends.
fn after(now: DateTime<Utc>, life: Duration) -> Option<DateTime<Utc>> {
    TimeDelta::from_std(life).ok().and_then(|life| now.checked_add_signed(life))
}
