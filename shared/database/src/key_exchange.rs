//! What is offered first when keys are agreed upon.

use std::sync::Once;

use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Offers the curve P-256 first, and all others after it as ever, wherever this process leaves the choice to rustls, as
/// the driver does.
///
/// MySQL 8.0 and 9.x agree to NIST's curves only: a handshake that offers X25519 alone fails. So they answer rustls's own
/// first offer, X25519 with ML-KEM, with the request for another: a round trip more, and keys made in vain.
pub(crate) fn prefer_p256() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut provider = aws_lc_rs::default_provider();
        provider
            .kx_groups
            .sort_by_key(|group| group.name() != NamedGroup::secp256r1);
        // Whoever has chosen for the process already knows better.
        let _: Result<(), _> = CryptoProvider::install_default(provider);
    });
}
