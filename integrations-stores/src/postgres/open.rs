//! Which database is it, and how is it connected to?

use std::str::FromStr;
use std::time::Duration;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use super::PostgresStoreBuilder;
use super::failure::{OrStore, lost_within};
use super::schema::{self, Found};

const OPERATION: &str = "postgres.connect";

/// A connection that was used a moment ago is not asked whether it still lives.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What a session is like. A machine that has crashed or lost its network holds its locks until the server notices,
/// which by the defaults of most systems takes two hours; here it takes a minute.
const SESSION: &[(&str, &str)] = &[
    ("default_transaction_isolation", "read committed"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("lock_timeout", "30s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

pub(super) struct Opened {
    pub(super) pool: PgPool,
    pub(super) ready: bool,
}

pub(super) async fn open(url: &str, settings: &PostgresStoreBuilder) -> Result<Opened> {
    check_name(&settings.schema)?;
    let options = options(url, &settings.schema)?;
    // Not from the pool, which tries for as long as a call may wait.
    let mut connection = options.connect().await.or_store(OPERATION)?;
    let found = schema::inspect(&mut connection, &settings.schema, OPERATION).await?;
    connection.close().await.or_store(OPERATION)?;
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                // After a failover, none of the old connections is worth an attempt.
                if lost_within(meta.age) {
                    return Ok(false);
                }
                Ok(meta.idle_for < TRUSTED_FOR || connection.ping().await.is_ok())
            })
        })
        // What was given up is closed, and not asked whether it lives, which it may never answer.
        .after_release(|_, meta| Box::pin(async move { Ok(!lost_within(meta.age)) }))
        .connect_lazy_with(options);
    Ok(Opened { pool, ready: found == Found::Current })
}

fn options(url: &str, schema: &str) -> Result<PgConnectOptions> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Error::new(
            ErrorKind::Configuration,
            "the URL of the database begins neither with `postgres://` nor with `postgresql://`; correct it",
        )
        .with_code("invalid_url")
        .with_operation(OPERATION));
    }
    let options = PgConnectOptions::from_str(&without_unknown(url)).or_store(OPERATION)?;
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("integrations"),
    };
    Ok(options
        .options(SESSION.iter().copied())
        .options([("search_path", schema)])
        .disable_statement_logging())
}

/// What sqlx makes of a URL's parameters; `options[…]` comes on top.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Leaves out the parameters that sqlx does not know, as those of other clients are: it would log them with their
/// values, and a misspelt `password` is a password.
fn without_unknown(url: &str) -> String {
    let Some((address, parameters)) = url.split_once('?') else { return url.to_owned() };
    let known = parameters.split('&').filter(|parameter| {
        let name = parameter.split_once('=').map_or(*parameter, |(name, _)| name);
        PARAMETERS.contains(&name) || name.starts_with("options[") || name.starts_with("options%5B")
    });
    let known: Vec<&str> = known.collect();
    if known.len() < parameters.split('&').count() {
        tracing::warn!("the URL of the database has parameters that are not known and make no difference");
    }
    format!("{address}?{}", known.join("&"))
}

/// The name stands in statements as it is.
fn check_name(schema: &str) -> Result<()> {
    let first = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let rest = schema.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
    if first && rest && schema.len() <= 63 && !schema.starts_with("pg_") {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        "the schema's name is not made of at most 63 lower-case letters, digits and underscores, or begins with a \
         digit or `pg_`; give another one",
    )
    .with_code("invalid_schema")
    .with_operation(OPERATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_not_known_does_not_reach_the_log_of_the_driver() {
        for (url, expected) in [
            ("postgres://u@h/db", "postgres://u@h/db"),
            (
                "postgres://u@h/db?sslmode=disable&pasword=secret&channel_binding=require&options[a]=b",
                "postgres://u@h/db?sslmode=disable&options[a]=b",
            ),
            ("postgres://u@h/db?options%5Ba%5D=b&secret", "postgres://u@h/db?options%5Ba%5D=b"),
            ("postgres://u@h/db?secret=x", "postgres://u@h/db?"),
        ] {
            assert_eq!(without_unknown(url), expected);
            options(url, "integrations").unwrap();
        }
    }
}
