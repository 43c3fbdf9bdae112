//! What does it cost to seal a token and to open it, next to bare AES-256-GCM on the same bytes?
//!
//! Beyond the cipher, the vault finds the key, draws a nonce from the operating system, spells out what
//! the value is bound to, and writes base64; and it overwrites what it has opened.
//!
//! `cargo bench -p integrations-benches --bench vault`

use std::hint::black_box;
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, Key};
use criterion::{Criterion, Throughput};
use integrations_benches::Result;
use integrations_benches::figures::{Spread, seconds_each, table};
use integrations_core::auth::{Binding, Sealed, Secret, Vault};
use integrations_core::connection::{ConnectionId, Owner, ServiceId};

const TOKEN_BYTES: usize = 2_048;
const KEY: [u8; 32] = [7; 32];
const ROUNDS: usize = 101;
const ROUND: Duration = Duration::from_millis(10);

fn main() -> Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("vault: nothing to test; run it with `cargo bench`");
        return Ok(());
    }
    let place = Place::default();
    let ours = Ours::new(&place)?;
    let bare = Bare::new(&place)?;
    if ours.open()?.expose().as_bytes() != bare.open()? {
        return Err("the two have not opened the same".into());
    }

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("vault");
    group.throughput(Throughput::Bytes(TOKEN_BYTES as u64));
    group.bench_function("seal", |bencher| bencher.iter(|| ours.seal()));
    group.bench_function("seal, bare", |bencher| bencher.iter(|| bare.seal()));
    group.bench_function("open", |bencher| bencher.iter(|| ours.open()));
    group.bench_function("open, bare", |bencher| bencher.iter(|| bare.open()));
    group.bench_function("seal and open", |bencher| bencher.iter(|| ours.both()));
    group.bench_function("seal and open, bare", |bencher| bencher.iter(|| bare.both()));
    group.finish();
    criterion.final_summary();

    let rows = [
        race("seal", || ours.seal(), || bare.seal()),
        race("open", || ours.open(), || bare.open()),
        race("seal and open", || ours.both(), || bare.both()),
    ];
    let head = ["token of 2 KiB", "ns", "bare ns", "times bare"].map(str::to_owned).to_vec();
    println!("\n{}", table(&[vec![head], rows.to_vec()].concat()));
    Ok(())
}

/// Who goes first changes from round to round.
fn race<T, U>(name: &str, mut ours: impl FnMut() -> T, mut bare: impl FnMut() -> U) -> Vec<String> {
    let (mut our_seconds, mut bare_seconds) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            our_seconds.push(seconds_each(ROUND, &mut ours));
        }
        bare_seconds.push(seconds_each(ROUND, &mut bare));
        if round % 2 == 1 {
            our_seconds.push(seconds_each(ROUND, &mut ours));
        }
    }
    let ratio = Spread::of_ratios(&our_seconds, &bare_seconds);
    let nanoseconds = |seconds: Vec<f64>| format!("{:.0}", Spread::of(seconds).median * 1e9);
    vec![name.to_owned(), nanoseconds(our_seconds), nanoseconds(bare_seconds), ratio.to_string()]
}

/// A token and the place that it is bound to, with names as long as they are in life.
struct Place {
    owner: Owner,
    service: ServiceId,
    connection: ConnectionId,
    token: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            owner: Owner::new("default", "018f3c1e-7a51-7c3b-9f0e-2b6a4d1c8e55"),
            service: "google_calendar".into(),
            connection: "cn_3f2a9c1be07d4856a1c4e2d9b0f76a35".into(),
            token: "ya29.a0Ac".chars().cycle().take(TOKEN_BYTES).collect(),
        }
    }
}

struct Ours<'a> {
    vault: Vault,
    binding: Binding<'a>,
    token: &'a str,
    sealed: Sealed,
}

impl<'a> Ours<'a> {
    fn new(place: &'a Place) -> Result<Self> {
        let vault = Vault::new("2026-03", KEY)?;
        let binding = Binding::new(&place.owner, &place.service, &place.connection, "access_token");
        let sealed = vault.seal(&binding, &place.token)?;
        Ok(Self { vault, binding, token: &place.token, sealed })
    }

    fn seal(&self) -> Result<Sealed> {
        Ok(self.vault.seal(&self.binding, black_box(self.token))?)
    }

    fn open(&self) -> Result<Secret> {
        Ok(self.vault.open(&self.binding, black_box(&self.sealed))?)
    }

    fn both(&self) -> Result<Secret> {
        Ok(self.vault.open(&self.binding, &self.seal()?)?)
    }
}

/// The cipher alone, with a nonce that is there already: fit for a bench, and for nothing else.
struct Bare<'a> {
    cipher: Aes256Gcm,
    nonce: Nonce<Aes256Gcm>,
    place: Vec<u8>,
    token: &'a [u8],
    sealed: Vec<u8>,
}

impl<'a> Bare<'a> {
    fn new(place: &'a Place) -> Result<Self> {
        // As many bytes as the vault binds a value to: each part, and its length before it.
        let parts = ["v1", "default", place.owner.user.as_str(), place.service.as_str()];
        let bound = parts.into_iter().chain([place.connection.as_str(), "access_token"]);
        let bytes = bound.map(|part| part.len() + 8).sum();
        let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(KEY));
        let mut bare = Self {
            cipher,
            nonce: Nonce::<Aes256Gcm>::default(),
            place: vec![0; bytes],
            token: place.token.as_bytes(),
            sealed: Vec::new(),
        };
        bare.sealed = bare.seal()?;
        Ok(bare)
    }

    fn seal(&self) -> Result<Vec<u8>> {
        let payload = Payload { msg: black_box(self.token), aad: &self.place };
        self.cipher.encrypt(&self.nonce, payload).map_err(|_| "not sealed".into())
    }

    fn open(&self) -> Result<Vec<u8>> {
        self.open_this(black_box(&self.sealed))
    }

    fn both(&self) -> Result<Vec<u8>> {
        self.open_this(&self.seal()?)
    }

    fn open_this(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let payload = Payload { msg: sealed, aad: &self.place };
        self.cipher.decrypt(&self.nonce, payload).map_err(|_| "not opened".into())
    }
}
