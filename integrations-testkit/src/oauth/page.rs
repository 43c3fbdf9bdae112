//! What does a person see?

use http::HeaderName;
use http::header::{CACHE_CONTROL, REFERRER_POLICY};

use super::authority::Authority;
use crate::params::Params;
use crate::server::Reply;

/// The button that was pressed: `allow` or `deny`.
pub(super) const DECISION: &str = "decision";
/// The account that was chosen.
pub(super) const ACCOUNT: &str = "account";
/// A scope that was left ticked.
pub(super) const GRANTED: &str = "granted";
/// Says that scopes could be ticked: where none is left, no [`GRANTED`] comes.
pub(super) const TICKED: &str = "ticked";
/// The parameters with which the consent page answers itself.
pub(super) const OWN: &[&str] = &[DECISION, ACCOUNT, GRANTED, TICKED];

/// The page that asks for consent: who, what, and the two buttons.
pub(super) fn consent(authority: &Authority, asked: &Params, scopes: &[String], seated: usize) -> Reply {
    let input = |kind: &str, name: &str, value: &str, label: &str, checked: bool| {
        let checked = if checked { " checked" } else { "" };
        let (name, value, label) = (escape(name), escape(value), escape(label));
        let input = format!("<input type=\"{kind}\" name=\"{name}\" value=\"{value}\"{checked}>");
        if label.is_empty() { input } else { format!("<label>{input} {label}</label>") }
    };
    let group =
        |legend: &str, inputs: String| format!("<fieldset><legend>{legend}</legend>{inputs}</fieldset>");
    let mut form: String =
        asked.iter().map(|(name, value)| input("hidden", name, value, "", false)).collect();
    let accounts = &authority.settings.accounts;
    if accounts.len() > 1 {
        let choices = accounts.iter().enumerate().map(|(index, account)| {
            let label = format!("{} ({})", account.name, account.email);
            input("radio", ACCOUNT, &account.id, &label, index == seated)
        });
        form.push_str(&group("Account", choices.collect()));
    }
    if !scopes.is_empty() {
        let ticks = scopes.iter().map(|scope| input("checkbox", GRANTED, scope, scope, true));
        form.push_str(&group("What it may do", ticks.collect()));
        form.push_str(&input("hidden", TICKED, "1", "", false));
    }
    let client = escape(&authority.settings.client_id);
    let user = authority.account(Some(seated)).map(|account| escape(&account.email)).unwrap_or_default();
    let body = format!(
        "<p><strong>{client}</strong> asks for access to an account at {provider}. \
         Signed in: <strong>{user}</strong>.</p><form method=\"get\">{form}\
         <p><button name=\"{DECISION}\" value=\"allow\">Allow</button> \
         <button name=\"{DECISION}\" value=\"deny\">Deny</button></p></form>\
         <p>This is a fake provider for tests. No real account is involved.</p>",
        provider = authority.rules.dialect.name(),
    );
    page(200, "Allow access?", &body)
}

/// What is wrong with a request, told to the user.
pub(super) fn refused(problem: &str) -> Reply {
    page(400, "Error 400: invalid_request", &format!("<p>{}</p>", escape(problem)))
}

/// The page of a fault.
pub(super) fn failed(status: u16, reason: &str) -> Reply {
    page(status, &format!("Error {status}"), &format!("<p>{}</p>", escape(reason)))
}

fn page(status: u16, title: &str, body: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}\
         button{{font:inherit;padding:.5rem 1.5rem}}label{{display:block}}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    unstored(Reply::html(status, html))
}

/// No copy, and no address with a code in it for the next site (RFC 9700, 4.2.4).
pub(super) fn unstored(reply: Reply) -> Reply {
    let policy: HeaderName = REFERRER_POLICY;
    reply.header(CACHE_CONTROL, "no-store").header(policy, "no-referrer")
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
