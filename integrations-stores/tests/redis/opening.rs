//! What is refused, and what is shown?

use integrations_core::ErrorKind;
use integrations_stores::RedisStore;

use super::{Prefix, url};

#[tokio::test]
#[ignore = "needs redis"]
async fn a_newer_layout_is_refused() {
    let prefix = Prefix::new();
    let store = prefix.builder().connect(&url()).await.unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    let client = redis::Client::open(url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let key = format!("{{{}}}:version", prefix.0);
    let _: () = redis::cmd("SET").arg(&key).arg(2).query_async(&mut connection).await.unwrap();
    for error in [store.migrate().await.unwrap_err(), prefix.builder().connect(&url()).await.unwrap_err()] {
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("schema_too_new")));
    }
    let kept: u64 = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
#[ignore = "needs redis"]
async fn several_may_set_it_up_at_once() {
    let prefix = Prefix::new();
    let store = prefix.builder().connect(&url()).await.unwrap();
    let all = (0..8).map(|_| {
        let store = store.clone();
        async move { store.migrate().await }
    });
    for migrated in futures_util::future::join_all(all).await {
        migrated.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_no_password_is_shown() {
    let secret = "hunter2-canary";
    for (url, code) in [
        (format!("http://user:{secret}@127.0.0.1"), "invalid_url"),
        (format!("redis://user:{secret}@127.0.0.1:1/x"), "invalid_url"),
        (format!("redis://user:{secret}@127.0.0.1:1"), "redis_unreachable"),
    ] {
        let error = RedisStore::connect(&url).await.unwrap_err();
        assert_eq!(error.provider_code(), Some(code), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(secret), "{code} shows the password");
    }
    let error = RedisStore::builder().prefix("a{b}").connect("redis://127.0.0.1:1").await.unwrap_err();
    assert_eq!(error.provider_code(), Some("invalid_prefix"));
}

#[tokio::test]
#[ignore = "needs redis"]
async fn refused_credentials_are_a_matter_of_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::server::Server::start(folder.path(), false);
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let set =
        redis::cmd("CONFIG").arg(&["SET", "requirepass", "right"]).query_async::<()>(&mut connection).await;
    set.unwrap();
    let wrong = server.url().replace("redis://", "redis://:wrong-canary@");
    for url in [server.url(), wrong] {
        let error = RedisStore::connect(&url).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.provider_code()),
            (ErrorKind::Configuration, Some("redis_credentials"))
        );
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    let right = server.url().replace("redis://", "redis://:right@");
    assert!(!format!("{:?}", RedisStore::connect(&right).await.unwrap()).contains("right"));
}
