//! What happens to users?

use serde_json::Value;

use crate::zoom::FakeZoom;

impl FakeZoom {
    /// A user as the API shows it.
    pub fn user_object(&self, user: &str) -> Option<Value> {
        let state = self.zoom.state();
        state.user_named(user).map(|user| state.users[user].object(&state.account))
    }

    /// Merges a patch into a user: null removes a field.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn patch_user(&self, user: &str, patch: Value) {
        self.write(|state| {
            let Some(user) = state.user_named(user) else { panic!("no user {user:?} in this fake") };
            state.users[user].patches.push(patch);
        });
    }

    /// An administrator deactivates a user: the status is `inactive`.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn deactivate_user(&self, user: &str) {
        self.write(|state| {
            let Some(user) = state.user_named(user) else { panic!("no user {user:?} in this fake") };
            "inactive".clone_into(&mut state.users[user].status);
        });
    }

    /// Takes a user out of the account: whatever names the user answers 404 with code 1001.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn remove_user(&self, user: &str) {
        self.write(|state| {
            let Some(user) = state.user_named(user) else { panic!("no user {user:?} in this fake") };
            state.users[user].removed = true;
        });
    }
}
