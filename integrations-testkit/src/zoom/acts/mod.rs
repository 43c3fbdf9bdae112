//! What may a test do on this Zoom?
//!
//! What people do there, and what only a test does. JSON that methods take has Zoom's own names for its
//! fields, and a field that they do not know is refused with a panic, as is what is not there.

mod meetings;
mod recordings;
mod sessions;
mod users;

pub(super) use self::meetings::create;

use super::FakeZoom;
use super::meeting::Meeting;
use super::state::State;

fn meeting(state: &mut State, id: u64) -> &mut Meeting {
    state.meetings.get_mut(&id).unwrap_or_else(|| panic!("no meeting {id} in this fake"))
}

impl FakeZoom {
    /// Changes what there is.
    fn write<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.zoom.state_mut())
    }
}
