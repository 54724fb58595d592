//! The pages through their router, over a real store.

pub(super) mod kit;

mod account;
mod doors;
mod guards;
mod invitations;
mod me;
mod settings;
mod set_up;
