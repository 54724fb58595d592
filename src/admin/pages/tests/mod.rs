//! The pages through their router, over a real store.

pub(in crate::admin) mod kit;

mod account;
mod device_links;
mod doors;
mod guards;
mod invitations;
mod link_mails;
mod me;
mod set_up;
mod settings;
