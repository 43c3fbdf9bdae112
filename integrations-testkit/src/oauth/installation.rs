//! How does a GitHub App act on its own?
//!
//! It proves itself with a JSON Web Token signed with its key (RS256), and gets a token of an hour for one
//! installation.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::authority::Authority;
use super::dialect::Operation;
use super::failure;
use super::grant::{Extent, Kind};
use super::identity;
use crate::params::bearer;
use crate::server::{Call, Reply};

const NOT_OF_AN_INSTALLATION: &str = "You must authenticate with an installation access token";
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);
/// A token that proves the app may live for so long.
const PROOF_LIFE_SECONDS: i64 = 600;

/// The app: its id, and the key that its tokens are checked with.
pub(crate) struct App {
    id: String,
    /// `SubjectPublicKeyInfo` or `RSAPublicKey`, in DER.
    key: Vec<u8>,
}

impl App {
    /// # Panics
    /// When the text holds no public key in PEM.
    pub(super) fn new(id: &str, public_key_pem: &str) -> Self {
        let body: String =
            public_key_pem.lines().map(str::trim).filter(|line| !line.starts_with("--")).collect();
        let key = STANDARD.decode(body).ok().filter(|_| public_key_pem.contains("PUBLIC KEY-----"));
        let Some(key) = key else {
            panic!("github_app: the key must be PEM, a PUBLIC KEY or an RSA PUBLIC KEY, not the private one");
        };
        Self { id: id.to_owned(), key }
    }
}

/// An installation of the GitHub App.
///
/// ```
/// use integrations_testkit::oauth::InstallationSpec;
///
/// let octo = InstallationSpec::new(42, "octo-org")
///     .permission("issues", "write")
///     .repository("octo-org/hello");
/// # drop(octo);
/// ```
#[derive(Debug, Clone)]
pub struct InstallationSpec {
    pub(super) id: u64,
    login: String,
    permissions: BTreeMap<String, String>,
    repositories: Vec<String>,
    suspended: bool,
}

impl InstallationSpec {
    /// An installation in the account of this name, which may read metadata.
    pub fn new(id: u64, login: &str) -> Self {
        let permissions = BTreeMap::from([("metadata".to_owned(), "read".to_owned())]);
        Self { id, login: login.to_owned(), permissions, repositories: Vec::new(), suspended: false }
    }

    /// Adds a permission, such as `issues`, `write`.
    pub fn permission(mut self, name: &str, access: &str) -> Self {
        self.permissions.insert(name.to_owned(), access.to_owned());
        self
    }

    /// Adds a repository, such as `octo-org/hello`. Without any the installation has all of the account's.
    pub fn repository(mut self, full_name: &str) -> Self {
        self.repositories.push(full_name.to_owned());
        self
    }
}

/// An installation as it stands.
pub(crate) type Installation = InstallationSpec;

impl Installation {
    pub(super) const fn suspend(&mut self, suspended: bool) {
        self.suspended = suspended;
    }

    pub(crate) const fn selection(&self) -> &'static str {
        if self.repositories.is_empty() { "all" } else { "selected" }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// The account that it is in.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    pub(crate) const fn permissions(&self) -> &BTreeMap<String, String> {
        &self.permissions
    }

    /// By full name; all of the account's when there are none.
    pub(crate) fn repositories(&self) -> &[String] {
        &self.repositories
    }

    pub(crate) const fn is_suspended(&self) -> bool {
        self.suspended
    }
}

/// What a test, or the owner of an account, does to installations.
impl Authority {
    /// The number of the app, if there is one.
    pub(crate) fn app_id(&self) -> Option<u64> {
        self.settings.app.as_ref().and_then(|app| app.id.parse().ok())
    }

    pub(crate) fn installations(&self) -> Vec<Installation> {
        self.stage().installations.clone()
    }

    /// Adds an installation, or replaces the one with its id.
    pub(crate) fn install(&self, installation: Installation) {
        let mut stage = self.stage();
        stage.installations.retain(|known| known.id != installation.id);
        stage.installations.push(installation);
    }

    pub(crate) fn suspend(&self, id: u64, suspended: bool) {
        let mut stage = self.stage();
        let found = stage.installations.iter_mut().find(|installation| installation.id == id);
        found.unwrap_or_else(|| panic!("no installation {id}")).suspend(suspended);
    }

    pub(crate) fn uninstall(&self, id: u64) {
        let mut stage = self.stage();
        stage.installations.retain(|installation| installation.id != id);
        stage.ledger.end_installation(id);
    }

    /// A token of an installation, with all that it may do, without the app's proof.
    pub(crate) fn mint_for(&self, id: u64) -> String {
        let mut stage = self.stage();
        let found = stage.installations.iter().find(|installation| installation.id == id).cloned();
        let Installation { repositories, permissions, .. } =
            found.unwrap_or_else(|| panic!("no installation {id}"));
        let now = self.clock.now();
        stage.ledger.mint(Kind::Installation(id), repositories, permissions, Some(TOKEN_LIFE), now)
    }
}

/// Answers the endpoints that only the app itself may call.
pub(super) fn answer(authority: &Authority, operation: Operation, call: &Call, id: &str) -> Reply {
    if let Err((status, text)) = prove(authority, bearer(call)) {
        return refused(status, text);
    }
    let mut stage = authority.stage();
    let found = id.parse().ok().and_then(|id: u64| stage.installations.iter().find(|known| known.id == id));
    let Some(installation) = found.cloned() else { return refused(404, "Not Found") };
    if operation == Operation::Installation {
        return Reply::json(200, describe(authority, &installation).to_string());
    }
    if installation.suspended {
        return refused(403, "This installation has been suspended");
    }
    let asked: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let (permissions, repositories) = match narrow(&installation, &asked) {
        Ok(narrowed) => narrowed,
        Err(text) => return refused(422, text),
    };
    let now = authority.clock.now();
    let kind = Kind::Installation(installation.id);
    let token = stage.ledger.mint(kind, repositories.clone(), permissions.clone(), Some(TOKEN_LIFE), now);
    let expires = now + TimeDelta::from_std(TOKEN_LIFE).unwrap_or_default();
    let all = asked["repositories"].is_null() && installation.repositories.is_empty();
    let mut body = json!({
        "token": token,
        "expires_at": expires.to_rfc3339_opts(SecondsFormat::Secs, true),
        "permissions": permissions,
        "repository_selection": if all { "all" } else { "selected" },
    });
    if !all {
        body["repositories"] = repositories.iter().map(|name| repository(name)).collect();
    }
    Reply::json(201, body.to_string())
}

/// What the token may do, and where: no more than the installation.
fn narrow(
    installation: &Installation,
    asked: &Value,
) -> Result<(BTreeMap<String, String>, Vec<String>), &'static str> {
    let mut permissions = installation.permissions.clone();
    if let Some(wanted) = asked["permissions"].as_object() {
        permissions.clear();
        for (name, access) in wanted {
            let granted = installation.permissions.get(name).map(String::as_str);
            let access = access.as_str().unwrap_or_default();
            if granted != Some(access) && (granted, access) != (Some("write"), "read") {
                return Err("The permissions requested are not granted to this installation.");
            }
            permissions.insert(name.clone(), access.to_owned());
        }
    }
    let mut repositories = installation.repositories.clone();
    if let Some(wanted) = asked["repositories"].as_array() {
        let full = |name: &Value| format!("{}/{}", installation.login, name.as_str().unwrap_or_default());
        let wanted: Vec<String> = wanted.iter().map(full).collect();
        if !repositories.is_empty() && wanted.iter().any(|name| !repositories.contains(name)) {
            return Err("There is at least one repository that does not exist or is not accessible.");
        }
        repositories = wanted;
    }
    Ok((permissions, repositories))
}

/// Answers `GET /installation/repositories`, for which a token of an installation is needed.
pub(super) fn repositories(authority: &Authority, call: &Call) -> Reply {
    let holder = match identity::admit(authority, call) {
        Ok(holder) => holder,
        Err(refused) => return refused,
    };
    let Kind::Installation(id) = holder.kind else {
        return refused(403, NOT_OF_AN_INSTALLATION);
    };
    let stage = authority.stage();
    match stage.installations.iter().find(|installation| installation.id == id) {
        None => refused(401, "Bad credentials"),
        Some(installation) if installation.suspended => refused(403, "This installation has been suspended"),
        Some(_) => {
            let list: Vec<Value> = holder.scopes.iter().map(|name| repository(name)).collect();
            Reply::json(200, json!({"total_count": list.len(), "repositories": list}).to_string())
        }
    }
}

/// Answers `DELETE /installation/token`, by which a token of an installation ends itself.
pub(super) fn end_token(authority: &Authority, call: &Call) -> Reply {
    match identity::admit(authority, call).map(|holder| holder.kind) {
        Ok(Kind::Installation(_)) => {}
        Ok(_) => return refused(403, NOT_OF_AN_INSTALLATION),
        Err(refused) => return refused,
    }
    let token = bearer(call).unwrap_or_default();
    authority.stage().ledger.revoke(token, Extent::Family, authority.clock.now());
    Reply::empty(204)
}

fn refused(status: u16, text: &str) -> Reply {
    Reply::json(status, failure::github(status, text).to_string())
}

fn repository(full_name: &str) -> Value {
    let name = full_name.split_once('/').map_or(full_name, |(_, name)| name);
    json!({"full_name": full_name, "name": name})
}

fn describe(authority: &Authority, installation: &Installation) -> Value {
    let suspended = installation.suspended;
    json!({
        "id": installation.id,
        "app_id": authority.settings.app.as_ref().and_then(|app| app.id.parse::<u64>().ok()),
        "client_id": authority.settings.client_id,
        "account": {"login": installation.login, "type": "Organization"},
        "target_type": "Organization",
        "permissions": installation.permissions,
        "repository_selection": installation.selection(),
        "suspended_at": suspended.then(|| authority.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true)),
    })
}

/// Checks the app's own token: its signature, who made it, and its times.
fn prove(authority: &Authority, token: Option<&str>) -> Result<(), (u16, &'static str)> {
    const UNREADABLE: (u16, &str) = (401, "A JSON web token could not be decoded");
    const EXPIRY: &str = "'Expiration time' claim ('exp') must be a numeric value representing the future time \
                          at which the assertion expires";
    const ISSUED: &str = "'Issued at' claim ('iat') must be an Integer representing the time that the \
                          assertion was issued";
    let app = authority.settings.app.as_ref().ok_or((404, "Integration not found"))?;
    let token = token.ok_or((401, "Requires authentication"))?;
    let (signed, signature) = token.rsplit_once('.').ok_or(UNREADABLE)?;
    let (header, claims) = signed.split_once('.').ok_or(UNREADABLE)?;
    let json =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (header, claims) = json(header).zip(json(claims)).ok_or(UNREADABLE)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| UNREADABLE)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.key);
    if header["alg"] != "RS256" || key.verify(signed.as_bytes(), &signature).is_err() {
        return Err(UNREADABLE);
    }
    let issuer = match &claims["iss"] {
        Value::Number(number) => number.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    if issuer != app.id && issuer != authority.settings.client_id {
        return Err((404, "Integration not found"));
    }
    let now = authority.clock.now().timestamp();
    let expires = claims["exp"].as_i64().filter(|expires| *expires > now).ok_or((401, EXPIRY))?;
    if expires > now + PROOF_LIFE_SECONDS {
        return Err((401, "'Expiration time' claim ('exp') is too far in the future"));
    }
    claims["iat"].as_i64().filter(|issued| *issued <= now).map(|_| ()).ok_or((401, ISSUED))
}
