//! How people prove who they are to the Manager: passwords, one-time codes, recovery codes, secret tokens, and how long
//! each of them lives.
//!
//! Mechanism only: nothing here knows who may do what, and nothing is stored. What is secret is made from the operating
//! system's generator, shown once, and kept as a hash under the server key (or sealed with it, where we must compute with
//! it); every check takes the time as an argument.

mod browser;
mod common;
pub mod lifetime;
pub mod password;
mod recovery;
mod text;
pub mod token;
mod totp;

pub use browser::{BROWSER_MARK_LIFE, BrowserId, BrowserMark};
pub use lifetime::Lifetimes;
pub use password::{BadPassword, Busy, NewPassword, Passwords};
pub use recovery::{RECOVERY_CODES, RecoveryCode};
pub use token::Token;
pub use totp::{BadTotp, STEP_SECONDS, TotpSecret};
