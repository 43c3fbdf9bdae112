//! How does a user's account come to the host?

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderName;
use url::Url;

use super::{Gateway, at};
use crate::adapter::ServiceAdapter;
use crate::auth::{
    AccessToken, Authorization, Begin, Callback, Grant, Level, SealedTokens, Secret, TokenSet, Tokens,
    connecting,
};
use crate::connection::{
    Account, AccountId, Connection, ConnectionId, ConnectionStatus, GrantType, Owner, ServiceId, TenantId,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Session;
use crate::observe::{AuditAction, AuditEntry, Notice, audit};

/// A token or key that a person has typed in, for services and hosts that use them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key.
    pub secret: Secret,
    /// The header that carries it; `Authorization` by default.
    pub header: HeaderName,
    /// What stands before it there; `Bearer` by default, empty for the key alone.
    pub scheme: String,
    /// When it expires. The host is [reminded](Notice::KeyExpires) 14 days before.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it may do, as far as that is known.
    pub scopes: Vec<String>,
}

impl ApiKey {
    /// A key that goes out as `Authorization: Bearer …` and does not expire.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self {
            secret: secret.into(),
            header: http::header::AUTHORIZATION,
            scheme: "Bearer".into(),
            expires_at: None,
            scopes: Vec::new(),
        }
    }

    /// Sends it in another header, or under another scheme.
    pub fn in_header(mut self, header: HeaderName, scheme: impl Into<String>) -> Self {
        self.header = header;
        self.scheme = scheme.into();
        self
    }

    /// Says when it expires.
    pub fn expiring(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Says what it may do.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}

/// What becomes a connection.
struct Granted {
    owner: Owner,
    service: ServiceId,
    account: Account,
    tokens: Tokens,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    grant: GrantType,
}

impl Gateway {
    /// Begins to connect an account of a user; see [`Connect`].
    pub fn connect(&self, owner: impl Into<Owner>, service: impl Into<ServiceId>) -> Connect<'_> {
        Connect {
            gateway: self,
            owner: self.within_tenant(owner.into()),
            service: service.into(),
            redirect_uri: None,
            level: Level::default(),
            features: None,
            scopes: None,
            kept_scopes: Vec::new(),
            login_hint: None,
            parameters: Vec::new(),
            account: None,
        }
    }

    /// Begins to connect an account again: it asks for what was granted before, offers the same account,
    /// and refuses any other. The connection keeps its id, its streams and their positions.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], and those of the store.
    pub async fn reconnect(&self, id: &ConnectionId) -> Result<Connect<'_>> {
        let connection = self.connection(id).await?;
        let mut connect = self.connect(connection.owner, connection.service);
        if let ConnectionStatus::ReauthorizationRequired { challenge: Some(challenge), .. } =
            connection.status
        {
            connect.parameters.push(("claims", challenge));
        }
        connect.kept_scopes = connection.scopes;
        connect.login_hint = connection.account.email;
        connect.account = Some(connection.account.id);
        Ok(connect)
    }

    /// Ends what [`connect`](Self::connect) began: takes the address that the user came back to (whole, or
    /// its query alone), exchanges the code, asks whose account it is, and stores the connection.
    ///
    /// `owner` is the user of the session that comes back. Connecting the same account again renews the
    /// connection and keeps its streams. Give the whole address if you can: then a callback that was meant
    /// for another service's address is refused.
    ///
    /// # Errors
    /// Those of [`OAuthManager::finish`](crate::auth::OAuthManager::finish), of the provider and of the
    /// store; [`ErrorKind::InvalidRequest`] with code `account_changed` when a connection is renewed with
    /// another account. Nothing is stored then.
    ///
    /// # Cancel safety
    /// The state is used up: after a drop the user has to begin again.
    pub async fn complete(&self, owner: impl Into<Owner>, callback: &str) -> Result<Connection> {
        let mut connections = self.complete_all(owner, callback).await?;
        Ok(connections.swap_remove(0))
    }

    /// As [`complete`](Self::complete), for providers that give several tokens at once, e.g. Slack a bot's
    /// and a user's: each becomes a connection. There is at least one.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    ///
    /// # Cancel safety
    /// As [`complete`](Self::complete).
    pub async fn complete_all(&self, owner: impl Into<Owner>, callback: &str) -> Result<Vec<Connection>> {
        let owner = self.within_tenant(owner.into());
        let callback = Callback::parse(callback);
        let outcome = self.finish(&owner, &callback).await;
        if let Err(error) = &outcome {
            let entry = self.entry(AuditAction::CallbackRefused).by(&owner).failed(error);
            let entry = match error.service() {
                Some(service) => entry.at_service(service),
                None => entry,
            };
            // A user may say no, and a provider may be down; a callback that does not fit is another matter.
            let suspicious = error.kind() == ErrorKind::InvalidRequest
                && !matches!(error.provider_code(), Some("state_expired" | "code_missing"));
            self.audit(if suspicious { entry.critical() } else { entry }).await;
        }
        outcome
    }

    async fn finish(&self, owner: &Owner, callback: &Callback) -> Result<Vec<Connection>> {
        let service = self.inner.oauth.service_of(callback).await?;
        let adapter = self.inner.adapters.get(&service)?;
        let mut grant = self.inner.oauth.finish(adapter, owner, callback).await?;
        let others = std::mem::take(&mut grant.tokens.others);
        let missing_scopes = grant.missing_scopes();
        let Grant { asked, tokens, account: expected, .. } = grant;
        // Nothing is stored before every account is known.
        let mut granted = Vec::new();
        for tokens in std::iter::once(tokens).chain(others) {
            granted.push(self.identified(owner, adapter, tokens, &asked).await?);
        }
        if let Some(expected) = expected
            && let Some(other) = granted.first().filter(|granted| granted.account.id != expected)
        {
            return Err(account_changed(&other.account).with_service(&service));
        }
        let mut connections = Vec::new();
        for granted in granted {
            connections.push(self.store(adapter, granted, &missing_scopes).await?);
        }
        Ok(connections)
    }

    async fn identified(
        &self,
        owner: &Owner,
        adapter: &Arc<dyn ServiceAdapter>,
        tokens: TokenSet,
        asked: &[String],
    ) -> Result<Granted> {
        let service = &adapter.info().id;
        let account = match tokens.account.clone() {
            Some(account) => account,
            None => self.identify(owner, adapter, tokens.access.clone()).await?,
        };
        let now = self.inner.clock.now();
        let end = |life| now.checked_add_signed(TimeDelta::from_std(life).ok()?);
        Ok(Granted {
            owner: owner.clone(),
            service: service.clone(),
            account,
            expires_at: tokens.expires_in.and_then(end),
            scopes: tokens.scopes.unwrap_or_else(|| asked.to_vec()),
            tokens: Tokens { access: tokens.access, refresh: tokens.refresh },
            grant: GrantType::User,
        })
    }

    async fn identify(
        &self,
        owner: &Owner,
        adapter: &Arc<dyn ServiceAdapter>,
        access: AccessToken,
    ) -> Result<Account> {
        let service = &adapter.info().id;
        let connection = connecting(owner, service);
        let session =
            Session::with_token(Arc::clone(adapter), Arc::clone(&self.inner.pipeline), connection, access);
        adapter.authenticator().identify(&session).await.map_err(at(service))
    }

    /// Connects an account with a token or key that a person has typed in. It is tried at once.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] for a service that is not registered, what the provider says to
    /// the key, and those of the store.
    ///
    /// # Cancel safety
    /// Nothing is stored, or everything.
    pub async fn connect_with_key(
        &self,
        owner: impl Into<Owner>,
        service: impl Into<ServiceId>,
        key: ApiKey,
    ) -> Result<Connection> {
        let (owner, service) = (self.within_tenant(owner.into()), service.into());
        let adapter = self.inner.adapters.get(&service)?;
        let ApiKey { secret, header, scheme, expires_at, scopes } = key;
        let access = AccessToken::in_header(header.clone(), &scheme, secret.expose())
            .map_err(|error| error.with_service(&service))?;
        let account = self.identify(&owner, adapter, access.clone()).await?;
        let grant = GrantType::Key { header: header.as_str().to_owned(), scheme };
        let tokens = Tokens { access, refresh: None };
        let granted = Granted { owner, service, account, tokens, scopes, expires_at, grant };
        self.store(adapter, granted, &[]).await
    }

    /// Connects what the application may reach by itself, without a user: `subject` is what the provider
    /// calls it, e.g. the id of a GitHub App's installation or of a Zoom account.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] where the provider or its configuration does not offer that, and
    /// those of the provider and of the store.
    ///
    /// # Cancel safety
    /// Nothing is stored, or everything.
    pub async fn connect_application(
        &self,
        owner: impl Into<Owner>,
        service: impl Into<ServiceId>,
        subject: impl Into<String>,
    ) -> Result<Connection> {
        let (owner, service, subject) = (self.within_tenant(owner.into()), service.into(), subject.into());
        let adapter = self.inner.adapters.get(&service)?;
        let session = Session::without_token(
            Arc::clone(adapter),
            Arc::clone(&self.inner.pipeline),
            connecting(&owner, &service),
        );
        let tokens = adapter.authenticator().mint_token(&session, &subject).await.map_err(at(&service))?;
        let mut granted = self.identified(&owner, adapter, tokens, &[]).await?;
        granted.grant = GrantType::Application { subject };
        self.store(adapter, granted, &[]).await
    }

    async fn store(
        &self,
        adapter: &Arc<dyn ServiceAdapter>,
        granted: Granted,
        missing_scopes: &[String],
    ) -> Result<Connection> {
        let Granted { owner, service, account, tokens, scopes, expires_at, grant } = granted;
        let id = Connection::derive_id(&owner, &service, &account.id);
        let (access, refresh) = self.inner.vault.seal_tokens(&owner, &service, &id, &tokens)?;
        let now = self.inner.clock.now();
        loop {
            let stored = self.inner.connections.get(&id).await?;
            // A provider that gives a refresh token only once leaves the earlier one valid.
            let kept = stored.as_ref().and_then(|stored| stored.tokens.refresh.clone());
            let mut connection = Connection {
                id: id.clone(),
                owner: owner.clone(),
                service: service.clone(),
                account: account.clone(),
                status: ConnectionStatus::Active,
                scopes: scopes.clone(),
                tokens: SealedTokens {
                    access: access.clone(),
                    refresh: refresh.clone().or(kept),
                    issued_at: now,
                    expires_at,
                },
                grant: grant.clone(),
                refreshing_since: None,
                version: stored.as_ref().map_or(0, |stored| stored.version),
                created_at: stored.as_ref().map_or(now, |stored| stored.created_at),
                updated_at: now,
            };
            match self.inner.connections.put(&connection).await {
                Ok(version) => connection.version = version,
                Err(error) if error.kind() == ErrorKind::Conflict => continue,
                Err(error) => return Err(error),
            }
            self.inner.tokens.discard(&connection.id);
            self.tell_connected(adapter, &connection, stored.as_ref(), missing_scopes).await;
            return Ok(connection);
        }
    }

    async fn tell_connected(
        &self,
        adapter: &Arc<dyn ServiceAdapter>,
        connection: &Connection,
        before: Option<&Connection>,
        missing_scopes: &[String],
    ) {
        let disabled: Vec<_> = adapter.info().disabled(&connection.scopes).map(|f| f.name).collect();
        let observer = &self.inner.observer;
        observer.notice(&Notice::Connected { connection, missing_scopes, disabled: &disabled });
        let from = before.map(|before| &before.status).filter(|from| **from != ConnectionStatus::Active);
        if let Some(from) = from {
            observer.notice(&Notice::StatusChanged { connection, from });
        }
        self.audit(self.entry(AuditAction::Connected).about(connection).detail(connection.scopes.join(" ")))
            .await;
        let changed = before.and_then(|before| audit::scopes_changed(&before.scopes, &connection.scopes));
        if let Some(detail) = changed {
            self.audit(self.entry(AuditAction::ScopesChanged).about(connection).detail(detail)).await;
        }
    }

    /// A plain user id stands for that user of the gateway's tenant.
    pub(super) fn within_tenant(&self, owner: Owner) -> Owner {
        match &self.tenant {
            Some(tenant) if owner.tenant == TenantId::single() => Owner::new(tenant.clone(), owner.user),
            _ => owner,
        }
    }

    pub(super) fn entry(&self, action: AuditAction) -> AuditEntry {
        AuditEntry::new(action, self.inner.clock.now()).from(self.origin.clone())
    }

    pub(super) async fn audit(&self, entry: AuditEntry) {
        audit::record(&*self.inner.audit, entry).await;
    }
}

fn account_changed(account: &Account) -> Error {
    let name = account.email.as_deref().or(account.name.as_deref()).unwrap_or("another one");
    Error::new(
        ErrorKind::InvalidRequest,
        format!(
            "the user chose another account ({name}) than the one that was to be connected again; choose that \
             one, or connect this one for itself"
        ),
    )
    .with_code("account_changed")
    .with_operation("callback")
}

/// A connect that is being prepared.
#[derive(Debug)]
#[must_use = "nothing happens before `begin`"]
pub struct Connect<'a> {
    gateway: &'a Gateway,
    owner: Owner,
    service: ServiceId,
    redirect_uri: Option<String>,
    level: Level,
    features: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    kept_scopes: Vec<String>,
    login_hint: Option<String>,
    parameters: Vec<(&'static str, String)>,
    account: Option<AccountId>,
}

impl Connect<'_> {
    /// Where the provider sends the user back to, exactly as it is registered there. Required. Give each
    /// service a path of its own: then one provider's answer cannot pass for another's.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// Asks for what this level of use needs; [`Level::Read`] by default.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Asks for what these features of the service need, up to the level, instead of for all of them.
    pub fn features(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.features = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Asks for these scopes, instead of those of features and level.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Which account to offer the user first, e.g. an e-mail address.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Adds a parameter of the provider's own to the address, e.g. Microsoft's `claims`
    /// ([`Error::challenge`]) or Slack's `team`.
    pub fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Says where to send the user. They have 600 s to come back.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] for a service that is not registered,
    /// [`ErrorKind::InvalidRequest`] for a redirect address that will not do or a feature that there is not,
    /// and those of the store.
    pub async fn begin(self) -> Result<Authorization> {
        let Self { gateway, owner, service, .. } = self;
        let adapter = gateway.inner.adapters.get(&service)?;
        let refused = |message: String, code: &'static str| {
            Error::new(ErrorKind::InvalidRequest, message).with_code(code).with_service(&service)
        };
        let redirect_uri =
            self.redirect_uri.as_deref().and_then(|uri| Url::parse(uri).ok()).ok_or_else(|| {
                refused("the redirect address is missing or no address".into(), "redirect_uri")
            })?;
        let info = adapter.info();
        let unknown =
            self.features.iter().flatten().find(|name| info.features.iter().all(|f| f.name != **name));
        if let Some(name) = unknown {
            let known: Vec<_> = info.features.iter().map(|feature| feature.name).collect();
            let message = format!("{} has no feature {name:.40}; it has: {}", info.name, known.join(", "));
            return Err(refused(message, "unknown_feature"));
        }
        let mut scopes = self.scopes.unwrap_or_else(|| info.scopes_for(self.level, self.features.as_deref()));
        let kept = self.kept_scopes.into_iter().filter(|scope| !scopes.contains(scope)).collect::<Vec<_>>();
        scopes.extend(kept);
        let mut begin = Begin::new(owner.clone(), redirect_uri, scopes);
        (begin.login_hint, begin.parameters, begin.account) =
            (self.login_hint, self.parameters, self.account);
        let outcome = gateway.inner.oauth.begin(&**adapter, begin).await;
        let entry = gateway.entry(AuditAction::ConnectStarted).by(&owner).at_service(&service);
        let entry = match &outcome {
            Ok(_) => entry,
            Err(error) => entry.failed(error),
        };
        gateway.audit(entry).await;
        outcome
    }
}
