//! Postern: an authentication gateway for IMAP and SMTP submission that gives each device a password of its own.

pub mod clock;
pub mod metrics;
pub mod peer;
pub mod secret;
