//! The pages through their router, over a real store.

pub(super) mod kit;

mod doors;
mod invitations;
mod me;
mod settings;
