//! Mail that Postern sends, through a real Postfix to a real Dovecot, and what becomes of it when they fail.

mod delivered;
mod links;
mod notices;
mod post;
mod trouble;
