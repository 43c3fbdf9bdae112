//! Connect an account from a program on the user's machine (RFC 8252): the system's browser, and back by
//! way of the loopback address.
//!
//! `cargo run --example connect` runs against a fake that agrees for the user: no account, no network. With
//! `-- --real --service github` the same program connects an account at GitHub; see
//! [`Providers`](integrations_examples::providers::Providers) for the credentials that each service needs.

use std::error::Error;

use clap::{Parser, ValueEnum};
use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::{Level, Vault};
use integrations_core::memory::MemoryStore;
use integrations_core::{Connection, Gateway};
use integrations_examples::loopback::{self, Loopback};
use integrations_examples::providers::Providers;

/// Connects an account by way of the browser, and prints the connection.
#[derive(Parser)]
struct Options {
    /// The service: `google_calendar`, `gmail`, `google_tasks`, `outlook_calendar`, `outlook_mail`, `slack`, `github`
    /// or `zoom`.
    #[arg(long, default_value = "google_calendar")]
    service: String,
    /// How much to ask for.
    #[arg(long, value_enum, default_value_t = Access::Read)]
    access: Access,
    /// Connect at the provider instead of at a fake of it.
    #[arg(long)]
    real: bool,
    /// Print the address without opening it.
    #[arg(long)]
    no_browser: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Access {
    /// Read.
    Read,
    /// Read and write.
    Write,
}

const USER: &str = "ada";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let providers = if options.real { Providers::Real } else { Providers::fake().await };
    let (adapters, missing) = providers.adapters();
    let known: Vec<_> = adapters.iter().map(|adapter| adapter.info().id.to_string()).collect();
    let adapter = adapters.into_iter().find(|adapter| adapter.info().id == *options.service);
    let Some(adapter) = adapter else {
        for error in missing {
            eprintln!("{}", error.message());
        }
        return Err(
            format!("{} cannot be connected; these can: {}", options.service, known.join(", ")).into()
        );
    };
    let info = adapter.info().clone();
    let gateway = providers
        .gateway()
        .adapter(adapter)
        // A program that is run again keeps its connections in a file, and the key in the system's keyring.
        .store(MemoryStore::new())
        .vault(Vault::ephemeral()?)
        .build()?;
    let connection = connect(&gateway, &providers, &info, &options).await?;
    print(&info, &connection);
    Ok(())
}

/// Sends the user away, and takes them back.
async fn connect(
    gateway: &Gateway,
    providers: &Providers,
    info: &ServiceInfo,
    options: &Options,
) -> Result<Connection, Box<dyn Error>> {
    let loopback = Loopback::listen().await?;
    let level = match options.access {
        Access::Read => Level::Read,
        Access::Write => Level::Write,
    };
    let redirect_uri = loopback.redirect_uri();
    let begun = gateway.connect(USER, &info.id).redirect_uri(redirect_uri).level(level).begin().await?;
    println!("Allow access to {} here:\n\n  {}\n", info.name, begun.url);

    let clock = providers.clock();
    let came_back = loopback.came_back(&begun.url, &*clock);
    let address = if options.real {
        if options.no_browser || !loopback::open_browser(begun.url.as_str()) {
            println!("(open it in a browser on this machine)");
        }
        came_back.await?
    } else {
        println!("(a fake, which agrees by itself)");
        tokio::try_join!(came_back, loopback::browse(begun.url.as_str()))?.0
    };
    Ok(gateway.complete(USER, &address).await?)
}

fn print(info: &ServiceInfo, connection: &Connection) {
    let line = |what: &str, value: &str| println!("  {what:<12} {value}");
    let account = &connection.account;
    let disabled: Vec<_> = info.disabled(&connection.scopes).map(|feature| feature.name).collect();
    let token = match connection.tokens.expires_at {
        Some(at) => format!("until {}, then renewed", at.format("%H:%M UTC")),
        None => "does not expire".to_owned(),
    };
    println!("\nConnected to {}", info.name);
    line("account", account.email.as_deref().or(account.name.as_deref()).unwrap_or(account.id.as_str()));
    line("connection", connection.id.as_str());
    line("scopes", &connection.scopes.join("\n               "));
    line("disabled", &if disabled.is_empty() { "nothing".to_owned() } else { disabled.join(", ") });
    line("token", &token);
}
