//! `Secret<T>`: a value that is wiped when dropped and never shown.
//!
//! Everything that a client proves itself with, and every key of ours, travels in one. There is no `Display`,
//! `Serialize` or `Clone`; `Debug` prints a fixed word. Reading the value is one visible call, [`Secret::expose`].

use std::fmt;

use zeroize::Zeroize;

/// A value that is wiped on drop and redacted in `Debug`.
pub struct Secret<T: Zeroize>(T);

/// Secret octets as they came from a client or a file.
pub type SecretBytes = Secret<Vec<u8>>;

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of a sensitive value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives access to the value; the caller must not copy it into anything that outlives the use.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Gives access for filling the value in place, so that it never exists anywhere else.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Stack that [`on_wiped_stack`] wipes: the hasher of a MAC has 1.9 KiB, and what it calls less.
const WIPED_STACK_BYTES: usize = 4 * 1024;

/// Does `work` on a part of the stack that is wiped behind it: libraries that hash a password leave it there in more places
/// than there are handles for.
pub fn on_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    // A frame of its own, below ours, so that the wiping covers it.
    #[inline(never)]
    fn below<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let done = below(work);
    zeroize::zeroize_stack::<WIPED_STACK_BYTES>();
    done
}

/// Octets of somebody else's buffer that may be a password: not shown in `Debug`; their owner wipes them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Borrowed<'a>(pub &'a [u8]);

impl fmt::Debug for Borrowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let secret = Secret::new(String::from("kqzm-xwdp"));
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[secret] Some([secret])");
        assert_eq!(format!("{:?}", Borrowed(b"kqzm-xwdp")), "[secret]");
    }
}
