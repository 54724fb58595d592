//! What an operator can do about a mail store whose certificate was not accepted (RFC 9525 §6, RFC 5280 §6).

use std::io;

use rustls::CertificateError;

/// What to do about a failed handshake with a mail store, in words that go behind the error.
pub fn advice(failure: &io::Error) -> &'static str {
    let cause = failure
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(problem)) => of_certificate(problem),
        Some(rustls::Error::InvalidMessage(_)) => {
            "the port does not answer in TLS: check the port, and whether it speaks TLS at once or after STARTTLS"
        }
        Some(rustls::Error::AlertReceived(_)) => {
            "the mail store ended the handshake: see its log, and whether it asks for a client certificate"
        }
        _ => "check that the port speaks TLS 1.2 or 1.3 in the way the route says, and the mail store's log",
    }
}

fn of_certificate(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the mail store's certificate has ended: renew it there"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the mail store's certificate is not valid yet: check the clocks of both machines"
        }
        // A bad signature is what an authority gives that was made anew under its old name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody trusted signed the mail store's certificate: name its authority's certificate as the route's `ca`, \
             and let the mail store send the whole chain"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the mail store's certificate is for other names: set the route's `tls_name` to one of them (a common name \
             does not count), or issue one for this name"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the mail store's certificate is not for servers: issue one with the key usage serverAuth"
        }
        CertificateError::Other(other) if is_authority(other) => {
            "the mail store presents an authority's certificate (usually self-signed with CA:TRUE) as its own: make a \
             CA and a leaf that it signs, or a self-signed certificate with CA:FALSE"
        }
        _ => "replace the mail store's certificate",
    }
}

/// The verifier's own error has no type here; its text is its variant's name.
fn is_authority(other: &rustls::OtherError) -> bool {
    other.0.to_string().contains("CaUsedAsEndEntity")
}
