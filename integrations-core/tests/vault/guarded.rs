//! Can a secret be written down by accident?

use integrations_core::auth::{
    AccessToken, AuthorizationRequest, CodeGrant, EncryptionKey, Grant, KeyRing, LiveToken, RefreshToken,
    Secret, TokenManager, TokenParts, TokenSet, Tokens, Vault,
};

/// Does not compile when one of the types has the trait: `probe` is ambiguous then.
macro_rules! never {
    ($trait:path: $($type:ty),+ $(,)?) => {$(
        const _: () = {
            trait Probe<T> {
                fn probe() {}
            }
            struct HasIt;
            impl<T: ?Sized> Probe<()> for T {}
            impl<T: ?Sized + $trait> Probe<HasIt> for T {}
            let _ = <$type as Probe<_>>::probe;
        };
    )+};
}

macro_rules! never_written {
    ($($type:ty),+ $(,)?) => {
        never!(serde::Serialize: $($type),+);
        never!(std::fmt::Display: $($type),+);
    };
}

never_written!(
    Secret,
    AccessToken,
    RefreshToken,
    Tokens,
    TokenSet,
    LiveToken,
    CodeGrant,
    AuthorizationRequest,
    Grant,
    EncryptionKey,
    KeyRing,
    Vault,
    TokenParts,
    TokenManager,
);

#[test]
fn debug_shows_no_secret() {
    let access = || AccessToken::new("canary-access").unwrap();
    let refresh = || RefreshToken::new("canary-refresh");
    let set = TokenSet::new(access()).with_refresh(Some(refresh()));
    let ring = || KeyRing::new("a", *b"canary-key canary-key canary-key").unwrap();
    let shown = [
        format!("{:?} {:#?}", Secret::new("canary"), Secret::new("canary")),
        format!("{:?} {:#?}", access(), access()),
        format!("{:?} {:#?}", access().header(), refresh()),
        format!("{:?}", Tokens { access: access(), refresh: Some(refresh()) }),
        format!("{set:?} {set:#?}"),
        format!("{:?}", EncryptionKey::from(*b"canary-key canary-key canary-key")),
        format!("{:?} {:#?}", ring(), Vault::from(ring())),
    ];
    // The key as a list of numbers.
    let numbers = "99, 97, 110";
    for shown in shown {
        assert!(!shown.contains("canary") && !shown.contains(numbers), "{shown}");
    }
}
