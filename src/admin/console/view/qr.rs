//! A QR code as one path of an SVG, always black on white with its quiet zone.

use qrcode::{EcLevel, QrCode, types::Color};

/// The blank frame that readers need around a code, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// The picture of a text. What it holds may be a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Qr {
    /// Modules on a side, with the quiet zone.
    pub side: usize,
    /// The dark modules, as the `d` of an SVG path.
    pub path: String,
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[qr]")
    }
}

impl Qr {
    /// Draws a text; none where it is too long for any code.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (index, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = (index % width + QUIET_ZONE, index / width + QUIET_ZONE);
                path.push_str(&format!("M{x} {y}h1v1h-1z"));
            }
        }
        Some(Self {
            side: width + 2 * QUIET_ZONE,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_eyes_inside_a_quiet_zone() {
        let qr = Qr::of("otpauth://totp/Postern:anna@example.org?secret=ABCDEFGH").unwrap();
        let last = qr.side - QUIET_ZONE - 7;
        for (x, y) in [(4, 4), (last, 4), (4, last)] {
            for step in 0..7 {
                assert!(qr.path.contains(&format!("M{} {y}h1", x + step)), "the eye at {x}, {y}");
            }
        }
        assert!(!qr.path.contains("M3 ") && !qr.path.contains(&format!("M{} ", qr.side - 4)));
    }

    #[test]
    fn what_no_code_can_hold_has_no_picture() {
        assert!(Qr::of(&"x".repeat(5000)).is_none());
    }
}
