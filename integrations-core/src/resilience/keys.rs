//! Under which keys is a call counted?

use std::sync::Arc;

use super::limiter::{Call, Hold};
use super::quota::{Counts, Limits, Quota, Scope};
use crate::connection::ConnectionId;

/// Who is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    App,
    Group(Arc<str>),
    Connection(ConnectionId),
}

/// Which operations are counted together; `None` for all.
pub(super) type What = Option<&'static str>;

/// What a gate stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GateKey {
    pub(super) who: Who,
    pub(super) what: What,
}

impl GateKey {
    pub(super) const APP: Self = Self { who: Who::App, what: None };

    pub(super) fn is_app(&self) -> bool {
        self.what.is_none() && matches!(self.who, Who::App)
    }
}

/// The quotas that count a call, each with its number and what it counts the call under.
pub(super) fn counting<'a>(
    limits: &'a Limits,
    call: &Call,
) -> impl Iterator<Item = (usize, &'static Quota, What)> + use<'a> {
    let operation = call.operation;
    limits.quotas.iter().enumerate().filter_map(move |(number, quota)| {
        limits.counted(quota.calls, operation).map(|what| (number, quota, named(what)))
    })
}

pub(super) fn units_of(quota: &Quota, units: u32) -> u32 {
    if quota.counts == Counts::Requests { 1 } else { units }
}

/// All operations together have no name. Comparing empty names costs more than comparing none: the
/// vector instructions that compare memory are slow where there is nothing behind the pointer.
pub(super) fn named(what: &'static str) -> What {
    (!what.is_empty()).then_some(what)
}

/// The gate that the provider's answers to the call speak of.
pub(super) fn told(limits: &Limits, call: &Call) -> GateKey {
    let what = limits.counted(limits.told_calls, call.operation).and_then(named);
    GateKey { who: who(limits.told_scope, call), what }
}

pub(super) fn who(scope: Scope, call: &Call) -> Who {
    match (scope, &call.group) {
        (Scope::App, _) => Who::App,
        (Scope::Group, Some(group)) => Who::Group(Arc::clone(group)),
        (Scope::Group, None) | (Scope::Connection, _) => Who::Connection(call.connection.clone()),
    }
}

/// Who has to wait with a call that this holds up.
pub(super) fn hold(who: &Who, all_operations: bool) -> Hold {
    match (who, all_operations) {
        (_, false) => Hold::Operation,
        (Who::App, true) => Hold::Service,
        (_, true) => Hold::Connection,
    }
}
