//! What a person meets at the authorization endpoint.

use integrations_testkit::oauth::{AccountSpec, Dialect};

use super::*;

async fn error_page(fake: &FakeOAuth, url: &str) -> String {
    let page = http().get(url).send().await.unwrap();
    assert_eq!(page.status(), 400, "{url}");
    assert!(page.headers().get("location").is_none());
    assert_eq!(fake.tally().codes, 0);
    page.text().await.unwrap()
}

#[tokio::test]
async fn a_request_that_is_not_in_order_is_told_to_the_user_and_goes_nowhere() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let mut wrong = vec![
            ("client_id", "other"),
            ("client_id", ""),
            ("redirect_uri", "http://evil.example/"),
            ("redirect_uri", "not an address"),
            ("redirect_uri", "https://app.example/#fragment"),
            ("state", ""),
            ("response_type", "token"),
            ("scope", "a,b c"),
        ];
        if dialect == Dialect::Slack {
            wrong.extend([("code_challenge", CHALLENGE), ("redirect_uri", "http://127.0.0.1:1/callback")]);
        } else {
            wrong.extend([
                ("code_challenge", ""),
                ("code_challenge", "short"),
                ("code_challenge_method", "plain"),
            ]);
        }
        for pair in wrong {
            let page = error_page(&fake, &authorization_url(&fake, &[pair])).await;
            assert!(page.contains("<h1>Error 400"), "{dialect:?} {pair:?}: {page}");
        }
        let twice = format!("{}&state=twice", authorization_url(&fake, &[]));
        assert!(error_page(&fake, &twice).await.contains("given twice: state"));
        assert!(fake.authorizations().is_empty());
    }
}

#[tokio::test]
async fn a_registered_redirect_is_the_only_one_but_for_the_port_of_a_loopback_address() {
    let registered = "http://127.0.0.1/callback";
    let fake =
        builder(Dialect::GitHub, &clock()).redirect_uri(REDIRECT).redirect_uri(registered).start().await;
    let open = async |uri: &str| fake.consent(&authorization_url(&fake, &[("redirect_uri", uri)])).await;
    assert!(open(REDIRECT).await.is_ok());
    assert!(open("http://127.0.0.1:8123/callback").await.is_ok());
    for wrong in
        ["https://app.example/callback/", "https://app.example:444/callback", "http://127.0.0.1:8123/other"]
    {
        assert!(open(wrong).await.unwrap_err().contains("not registered"), "{wrong}");
    }
}

#[tokio::test]
async fn the_user_may_refuse_and_the_provider_may_fail() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        fake.deny_next_consent();
        let url = authorization_url(&fake, &[]);
        let location = fake.consent(&url).await.unwrap();
        assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&location, "state").as_deref(), Some(STATE));
        assert_eq!(parameter(&location, "code"), None);
        let described = parameter(&location, "error_description").is_some();
        assert_eq!(described, matches!(dialect, Dialect::GitHub | Dialect::Microsoft));
        fake.fail_next_consent_with("temporarily_unavailable");
        let location = fake.consent(&url).await.unwrap();
        assert_eq!(parameter(&location, "error").as_deref(), Some("temporarily_unavailable"));
        assert!(parameter(&fake.consent(&url).await.unwrap(), "code").is_some());
    }
}

#[tokio::test]
async fn the_user_may_untick_scopes() {
    let scopes = async |dialect, keep: &str| {
        let fake = builder(dialect, &clock()).start().await;
        fake.grant_only(&[keep]);
        let few = text(&redeem(&fake, &code(&fake, &[]).await).await.1, "scope");
        fake.grant_all();
        let all = text(&redeem(&fake, &code(&fake, &[]).await).await.1, "scope");
        (few, all)
    };
    let expected = |few: &str, all: &str| (few.to_owned(), all.to_owned());
    assert_eq!(scopes(Dialect::Google, "openid").await, expected("openid", "openid email"));
    assert_eq!(
        scopes(Dialect::Slack, "chat:write").await,
        expected("chat:write", "channels:read,chat:write")
    );
    let zoom = "user:read:user meeting:read:list_meetings meeting:read:meeting";
    assert_eq!(scopes(Dialect::Zoom, "user:read:user").await, expected("user:read:user", zoom));
}

#[tokio::test]
async fn another_account_may_sign_in() {
    for dialect in Dialect::ALL {
        let ada = AccountSpec::new("ada@one.example").organization("11111111-1111-4111-a111-111111111111");
        let grace =
            AccountSpec::new("grace@two.example").organization("22222222-2222-4222-a222-222222222222");
        let fake = builder(dialect, &clock()).account(ada).account(grace).start().await;
        let id = fake.accounts()[1].id.clone();
        let who = async |extra: &[(&str, &str)]| {
            let (_, body) = redeem(&fake, &code(&fake, extra).await).await;
            let access = text(&body, "access_token");
            let (_, user) = get(&fake, place(dialect).userinfo, &access).await;
            let team =
                (dialect == Dialect::Slack).then(|| user["team_id"] == fake.accounts()[1].organization);
            team.unwrap_or_else(|| {
                [&user["sub"], &user["id"]].iter().any(|known| known.to_string().trim_matches('"') == id)
            })
        };
        assert!(!who(&[]).await, "{dialect:?}");
        let hint = match dialect {
            Dialect::GitHub => Some(("login", "grace")),
            Dialect::Slack => Some(("team", "22222222-2222-4222-a222-222222222222")),
            Dialect::Zoom => None,
            _ => Some(("login_hint", "GRACE@two.example")),
        };
        if let Some(hint) = hint {
            assert!(who(&[hint]).await, "{dialect:?}");
            assert!(!who(&[]).await, "{dialect:?}");
        }
        fake.switch_account("grace@two.example");
        assert!(who(&[]).await, "{dialect:?}");
    }
}

#[tokio::test]
async fn the_issuer_comes_when_the_test_wants_it_right_or_wrong() {
    let tenant = "33333333-3333-4333-a333-333333333333";
    for (dialect, issuer) in [
        (Dialect::Google, "https://accounts.google.com".to_owned()),
        (Dialect::Microsoft, format!("https://login.microsoftonline.com/{tenant}/v2.0")),
        (Dialect::GitHub, "https://github.com/login/oauth".to_owned()),
    ] {
        let account = AccountSpec::new("ada@example.com").organization(tenant);
        let fake = builder(dialect, &clock()).account(account).issuer_in_callback(true).start().await;
        let location = fake.consent(&authorization_url(&fake, &[])).await.unwrap();
        assert_eq!(parameter(&location, "iss"), Some(issuer));
    }
    let fake = builder(Dialect::Zoom, &clock()).issuer("https://evil.example").start().await;
    let location = fake.consent(&authorization_url(&fake, &[])).await.unwrap();
    assert_eq!(parameter(&location, "iss").as_deref(), Some("https://evil.example"));
    let fake = start(Dialect::Google).await;
    assert_eq!(parameter(&fake.consent(&authorization_url(&fake, &[])).await.unwrap(), "iss"), None);
}

#[tokio::test]
async fn a_consent_page_asks_who_what_and_whether() {
    for dialect in Dialect::ALL {
        let fake = builder(dialect, &clock()).with_consent_page();
        let fake = fake.account("ada@example.com").account("grace@example.com").start().await;
        let url = authorization_url(&fake, &[("nonce", "\"><script>")]);
        let page = http().get(&url).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let html = page.text().await.unwrap();
        for part in
            ["<html lang=\"en\">", "<h1>", ">Allow</button>", ">Deny</button>", "<legend>Account</legend>"]
        {
            assert!(html.contains(part), "{dialect:?} {part}");
        }
        assert!(html.contains("grace@example.com") && !html.contains("<script>"));

        let press = async |form: &str| {
            let answer = http().get(format!("{url}&{form}")).send().await.unwrap();
            assert_eq!(answer.status(), 302);
            assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        let location = press("decision=deny").await;
        assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
        let grace = &fake.accounts()[1].id;
        let code = parameter(&press(&format!("account={grace}&decision=allow")).await, "code").unwrap();
        let (_, body) = redeem(&fake, &code).await;
        let (_, user) = get(&fake, place(dialect).userinfo, &text(&body, "access_token")).await;
        // Slack's top token is the bot's; who installed it stands beside.
        let user = if dialect == Dialect::Slack { body["authed_user"].clone() } else { user };
        let id = [&user["sub"], &user["id"]].map(ToString::to_string);
        assert!(id.iter().any(|id| id.trim_matches('"') == grace), "{dialect:?} {id:?}");
        assert!(parameter(&fake.consent(&url).await.unwrap(), "code").is_some());
    }
}

#[tokio::test]
async fn scopes_can_be_unticked_on_the_page_all_of_them_too() {
    let fake = builder(Dialect::Google, &clock()).with_consent_page().start().await;
    let url = authorization_url(&fake, &[]);
    assert!(http().get(&url).send().await.unwrap().text().await.unwrap().contains("type=\"checkbox\""));
    let granted = async |form: &str| {
        let answer = http().get(format!("{url}&decision=allow&ticked=1{form}")).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let (_, body) = redeem(&fake, &parameter(&location, "code").unwrap()).await;
        text(&body, "scope")
    };
    assert_eq!(granted("&granted=email").await, "email");
    assert_eq!(granted("&granted=email&granted=openid").await, "email openid");
    assert_eq!(granted("").await, "");
}
