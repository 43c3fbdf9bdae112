//! Whose accounts does a path of Microsoft's admit?

use super::account::{Account, PERSONAL_TENANT};

/// Whether there is such a tenant: one of the general ones, or an account's, by id or domain.
pub(super) fn exists(tenant: &str, accounts: &[Account]) -> bool {
    is_general(tenant) || accounts.iter().any(|account| belongs(account, tenant))
}

/// Whether the tenant is open to tenants in general, as `common` is.
pub(super) fn is_general(tenant: &str) -> bool {
    matches!(tenant, "common" | "organizations" | "consumers")
}

/// Whether an account may sign in there.
pub(super) fn admits(tenant: &str, account: &Account) -> bool {
    match tenant {
        "common" => true,
        "organizations" => account.organization != PERSONAL_TENANT,
        "consumers" => account.organization == PERSONAL_TENANT,
        named => belongs(account, named),
    }
}

fn belongs(account: &Account, tenant: &str) -> bool {
    let by_domain = account.organization != PERSONAL_TENANT && account.domain().eq_ignore_ascii_case(tenant);
    account.organization.eq_ignore_ascii_case(tenant) || by_domain
}
