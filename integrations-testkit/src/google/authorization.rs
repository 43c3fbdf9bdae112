//! What happens at the authorization endpoint?
//!
//! A request that is in order is agreed to at once, or, in interactive mode, shown to a person. What is
//! wrong with a request is told to the user on a page, never to an address that was not checked.

use http::header::{CACHE_CONTROL, LOCATION};
use url::{Host, Url};

use super::Google;
use super::oauth::{AuthorizationLog, ConsentRequest};
use super::query::Query;
use crate::server::Reply;

/// An S256 challenge is 32 bytes of base64url (RFC 7636, 4.2).
const CHALLENGE_LEN: usize = 43;

/// The parameter with which the consent page answers itself.
pub(super) const DECISION: &str = "decision";

pub(super) fn authorize(google: &Google, query: &Query) -> Reply {
    let (request, redirect) = match check(google, query) {
        Ok(checked) => checked,
        Err(problem) => {
            return page(400, "Error 400: invalid_request", &format!("<p>{}</p>", escape(&problem)));
        }
    };
    let decision = query.get(DECISION).filter(|_| google.interactive);
    if google.interactive && decision.is_none() {
        return consent_page(google, query, &request);
    }
    let mut oauth = google.oauth();
    oauth.record(request.log.clone());
    let denied = oauth.take_denial() || decision == Some("deny");
    let mut location = redirect;
    {
        let mut pairs = location.query_pairs_mut();
        if let Some(state) = query.get("state") {
            pairs.append_pair("state", state);
        }
        if google.issuer_in_callback {
            pairs.append_pair("iss", "https://accounts.google.com");
        }
        if denied {
            pairs.append_pair("error", "access_denied");
        } else {
            let (code, scopes) = oauth.consent(request, google.clock.now());
            pairs.append_pair("code", &code);
            pairs.append_pair("scope", &scopes.join(" "));
        }
    }
    Reply::empty(302).header(LOCATION, location.as_str()).header(CACHE_CONTROL, "no-store")
}

fn check(google: &Google, query: &Query) -> Result<(ConsentRequest, Url), String> {
    if let Some(name) = query.repeated() {
        return Err(format!("Parameter given twice: {name}"));
    }
    let needed =
        |name| query.get(name).filter(|value| !value.is_empty()).ok_or(format!("Missing parameter: {name}"));
    if needed("client_id")? != google.client_id {
        return Err("The OAuth client was not found.".to_owned());
    }
    let redirect_uri = needed("redirect_uri")?;
    let redirect = Url::parse(redirect_uri)
        .ok()
        .filter(may_redirect)
        .ok_or("redirect_uri must be https, or http on the loopback interface, without a fragment")?;
    if needed("response_type")? != "code" {
        return Err("response_type must be code".to_owned());
    }
    let scopes: Vec<String> = needed("scope")?.split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err("Missing parameter: scope".to_owned());
    }
    if needed("code_challenge_method")? != "S256" {
        return Err("code_challenge_method must be S256".to_owned());
    }
    let challenge = needed("code_challenge")?;
    let unreserved = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if challenge.len() != CHALLENGE_LEN || !challenge.chars().all(unreserved) {
        return Err("code_challenge must be 43 characters of base64url".to_owned());
    }
    let optional = |name| query.get(name).map(str::to_owned);
    let log = AuthorizationLog {
        scopes,
        access_type: optional("access_type"),
        prompt: optional("prompt"),
        include_granted_scopes: optional("include_granted_scopes"),
        login_hint: optional("login_hint"),
    };
    let request =
        ConsentRequest { redirect_uri: redirect_uri.to_owned(), challenge: challenge.to_owned(), log };
    Ok((request, redirect))
}

fn may_redirect(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.fragment().is_none() && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

fn consent_page(google: &Google, query: &Query, request: &ConsentRequest) -> Reply {
    let mut scopes = String::new();
    for scope in &request.log.scopes {
        scopes.extend(["<li><code>", &escape(scope), "</code></li>"]);
    }
    let mut hidden = String::new();
    for (name, value) in query.iter() {
        let (name, value) = (escape(name), escape(value));
        hidden.extend(["<input type=\"hidden\" name=\"", &name, "\" value=\"", &value, "\">"]);
    }
    let client = escape(&google.client_id);
    let user = escape(&google.user.email);
    let body = format!(
        "<p><strong>{client}</strong> asks for access to the account <strong>{user}</strong>:</p>\
         <ul>{scopes}</ul>\
         <form method=\"get\">{hidden}\
         <button name=\"{DECISION}\" value=\"allow\">Allow</button> \
         <button name=\"{DECISION}\" value=\"deny\">Deny</button></form>\
         <p>This is a fake provider for tests. No real account is involved.</p>"
    );
    page(200, "Allow access?", &body)
}

fn page(status: u16, title: &str, body: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}\
         button{{font:inherit;padding:.5rem 1.5rem}}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    Reply::html(status, html).header(CACHE_CONTROL, "no-store")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
