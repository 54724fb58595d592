//! The header of the PROXY protocol, versions 1 and 2: what a trusted load balancer says about the client.
//!
//! Pure: octets in, an answer out. The grammar is taken strictly (haproxy's proxy-protocol.txt §2), because everything
//! behind this parser believes the address: no leading zeros, no lone CR or LF, known families only, a checksum that is
//! wrong refuses the header. The reader is told how many octets it may read without touching what follows the header,
//! so that a TLS handshake or a greeting behind it stays in the socket. Who may send a header is not decided here.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice
    )
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use nom::bytes::complete::{tag, take, take_while_m_n, take_while1};
use nom::combinator::{all_consuming, map_opt};
use nom::number::complete::{be_u8, be_u16, be_u32, be_u128};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Octets of a version 1 line, CRLF included (proxy-protocol.txt §2.1).
pub const V1_BYTES: usize = 107;
/// Octets of a version 2 header that we take: addresses need 52, the rest leaves room for TLVs that name a TLS client.
pub const V2_BYTES: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED: usize = 16;
const TYPE_CRC32C: u8 = 0x03;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The balancer speaks for itself (a health check), or does not know: the socket's own addresses hold.
    Local,
    /// The balancer speaks for a client.
    Proxied {
        /// The client's end.
        source: SocketAddr,
        /// The balancer's end, to which the client connected.
        destination: SocketAddr,
    },
}

/// How far the octets read so far go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The header goes on. The next read may take up to `at_most` octets (never 0): they all belong to the header.
    NeedInput {
        /// Octets that surely belong to the header.
        at_most: usize,
    },
    /// The octets are exactly one header.
    Complete(Header),
}

/// The octets are not a header that we accept; the connection has to be closed without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Version 2 with a checksum that does not fit.
    #[error("the PROXY header's checksum is wrong")]
    Checksum,
    /// An address family, transport, command or version that is not known.
    #[error("the PROXY header is of a kind that is not known")]
    Kind,
    /// Longer than [`V1_BYTES`] or [`V2_BYTES`].
    #[error("the PROXY header is too long")]
    Length,
    /// Neither version begins like this: a client that came past the load balancer, or the balancer sends no header.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// The grammar is broken.
    #[error("the PROXY header is malformed")]
    Syntax,
}

/// Judges everything read so far. The caller starts with an empty buffer, reads at most as many octets as it is told,
/// appends them and calls again.
///
/// # Errors
/// The octets are not the beginning of an acceptable header.
pub fn parse(input: &[u8]) -> Result<Progress, Error> {
    let begins = |whole: &[u8]| whole.iter().zip(input).all(|(wanted, got)| wanted == got);
    if begins(SIGNATURE) {
        return version_2(input);
    }
    if begins(b"PROXY ") {
        return version_1(input);
    }
    Err(Error::Missing)
}

/// `"PROXY" SP ("UNKNOWN" *octet / ("TCP4" / "TCP6") SP src SP dst SP sport SP dport) CRLF`
fn version_1(input: &[u8]) -> Result<Progress, Error> {
    // The shortest header is longer than the other version's signature, so this much can always be asked for at once.
    if let Some(at_most) = SIGNATURE.len().checked_sub(input.len()).filter(|missing| *missing > 0) {
        return Ok(Progress::NeedInput { at_most });
    }
    let Some(line) = input.strip_suffix(b"\r\n") else {
        let lone = |octet| matches!(octet, b'\r' | b'\n');
        let (ends_in_cr, body) = match input.strip_suffix(b"\r") {
            Some(body) => (true, body),
            None => (false, input),
        };
        if body.iter().copied().any(lone) {
            return Err(Error::Syntax);
        }
        let at_most = if ends_in_cr { 1 } else { 2 };
        if input.len().saturating_add(at_most) > V1_BYTES {
            return Err(Error::Length);
        }
        return Ok(Progress::NeedInput { at_most });
    };
    if line.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        return Err(Error::Syntax);
    }
    let line = line.strip_prefix(b"PROXY ").ok_or(Error::Syntax)?;
    // Whatever a sender puts behind UNKNOWN has to be ignored (§2.1).
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Ok(Progress::Complete(Header::Local));
    }
    let parsed = if line.starts_with(b"TCP4 ") {
        all_consuming(v1_addresses::<Ipv4Addr>).parse(line)
    } else if line.starts_with(b"TCP6 ") {
        all_consuming(v1_addresses::<Ipv6Addr>).parse(line)
    } else {
        return Err(Error::Kind);
    };
    parsed
        .map(|(_, header)| Progress::Complete(header))
        .map_err(|_| Error::Syntax)
}

/// `family SP src SP dst SP sport SP dport`
fn v1_addresses<A: FromStr + Into<IpAddr>>(input: &[u8]) -> IResult<&[u8], Header> {
    let family = take(5_usize);
    let (rest, source) = preceded(family, address::<A>).parse(input)?;
    let (rest, destination) = preceded(tag(" "), address::<A>).parse(rest)?;
    let (rest, source_port) = preceded(tag(" "), port).parse(rest)?;
    let (rest, destination_port) = preceded(tag(" "), port).parse(rest)?;
    let source = SocketAddr::new(source, source_port);
    Ok((
        rest,
        Header::Proxied {
            source,
            destination: SocketAddr::new(destination, destination_port),
        },
    ))
}

/// An address as the standard library reads it, which refuses leading zeros, zones and anything behind it.
fn address<A: FromStr + Into<IpAddr>>(input: &[u8]) -> IResult<&[u8], IpAddr> {
    let text = take_while1(|octet: u8| octet.is_ascii_hexdigit() || octet == b'.' || octet == b':');
    map_opt(text, |text| {
        std::str::from_utf8(text).ok()?.parse::<A>().ok().map(Into::into)
    })
    .parse(input)
}

/// `"0" / nonzero *4DIGIT`, at most 65535.
fn port(input: &[u8]) -> IResult<&[u8], u16> {
    let digits = take_while_m_n(1, 5, |octet: u8| octet.is_ascii_digit());
    let canonical = |text: &&[u8]| *text == b"0" || !text.starts_with(b"0");
    map_opt(digits, |text: &[u8]| {
        let text = Some(text).filter(canonical)?;
        std::str::from_utf8(text).ok()?.parse().ok()
    })
    .parse(input)
}

/// Signature, version and command, family and transport, length, addresses, TLVs (§2.2).
fn version_2(input: &[u8]) -> Result<Progress, Error> {
    if let Some(missing) = V2_FIXED.checked_sub(input.len()).filter(|missing| *missing > 0) {
        // Up to the signature's end at first: a version 1 header can be shorter than the fixed part.
        let at_most = SIGNATURE
            .len()
            .checked_sub(input.len())
            .filter(|rest| *rest > 0)
            .unwrap_or(missing);
        return Ok(Progress::NeedInput { at_most });
    }
    let (rest, (kind, family, length)) = v2_fixed(input).map_err(|_| Error::Syntax)?;
    let local = match kind {
        0x20 => true,
        0x21 => false,
        _ => return Err(Error::Kind),
    };
    let whole = V2_FIXED.saturating_add(usize::from(length));
    if whole > V2_BYTES {
        return Err(Error::Length);
    }
    match whole.checked_sub(input.len()) {
        None => return Err(Error::Length),
        Some(0) => {}
        Some(at_most) => return Ok(Progress::NeedInput { at_most }),
    }
    if local {
        // The family and everything behind it have to be ignored for LOCAL (§2.2).
        return Ok(Progress::Complete(Header::Local));
    }
    let (tlvs, header) = match family {
        0x11 => v2_addresses(rest, |input| {
            be_u32::<_, nom::error::Error<&[u8]>>(input).map(|(r, raw)| (r, Ipv4Addr::from(raw).into()))
        }),
        0x21 => v2_addresses(rest, |input| {
            be_u128::<_, nom::error::Error<&[u8]>>(input).map(|(r, raw)| (r, Ipv6Addr::from(raw).into()))
        }),
        _ => return Err(Error::Kind),
    }
    .map_err(|_| Error::Syntax)?;
    check_tlvs(input, tlvs)?;
    Ok(Progress::Complete(header))
}

fn v2_fixed(input: &[u8]) -> IResult<&[u8], (u8, u8, u16)> {
    preceded(tag(SIGNATURE.as_slice()), (be_u8, be_u8, be_u16)).parse(input)
}

fn v2_addresses<'a>(
    input: &'a [u8],
    mut address: impl FnMut(&'a [u8]) -> IResult<&'a [u8], IpAddr>,
) -> IResult<&'a [u8], Header> {
    let (rest, source) = address(input)?;
    let (rest, destination) = address(rest)?;
    let (rest, (source_port, destination_port)) = (be_u16, be_u16).parse(rest)?;
    let source = SocketAddr::new(source, source_port);
    Ok((
        rest,
        Header::Proxied {
            source,
            destination: SocketAddr::new(destination, destination_port),
        },
    ))
}

/// Walks the TLVs, which have to fill the header exactly, and checks the checksum where there is one.
fn check_tlvs(whole: &[u8], mut tlvs: &[u8]) -> Result<(), Error> {
    while !tlvs.is_empty() {
        let (rest, (kind, value)) = tlv(tlvs).map_err(|_| Error::Syntax)?;
        tlvs = rest;
        if kind == TYPE_CRC32C {
            let claimed = <[u8; 4]>::try_from(value).map_err(|_| Error::Syntax)?;
            // The checksum covers the header with its own four octets as zero.
            let start = whole.len().saturating_sub(rest.len()).saturating_sub(claimed.len());
            let zeroed = whole.iter().enumerate().map(|(at, octet)| {
                let inside = at >= start && at < start.saturating_add(claimed.len());
                if inside { 0 } else { *octet }
            });
            if crc32c(zeroed) != u32::from_be_bytes(claimed) {
                return Err(Error::Checksum);
            }
        }
    }
    Ok(())
}

fn tlv(input: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (rest, (kind, length)) = (be_u8, be_u16).parse(input)?;
    let (rest, value) = take(length).parse(rest)?;
    Ok((rest, (kind, value)))
}

/// CRC-32C (Castagnoli, reflected), bit by bit: a header is short and comes once a connection.
fn crc32c(octets: impl Iterator<Item = u8>) -> u32 {
    let remainder = octets.fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(octet), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            }
        })
    });
    !remainder
}

#[cfg(test)]
mod tests;
