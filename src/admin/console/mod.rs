//! The Manager: Postern's web console.
//!
//! `view` holds a plain struct for each page, `text` what they say in each language, `moment` how they say times, and
//! `assets` the style sheet and the script. None of them knows the store or HTTP: a handler fills a struct and sends
//! what its `render` gives.

pub mod assets;
pub mod moment;
pub mod text;
pub mod view;

#[cfg(test)]
mod gallery;
