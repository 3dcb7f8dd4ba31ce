//! DNS names in any spelling, and domains that mail can be sent from.
//!
//! Lines: one text, another text.

use ses_domain::names::{DnsName, Domain};

use crate::lines;

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Some([one, other]) = lines(input) else {
        return;
    };
    let (name, parent) = (DnsName::parse(one), DnsName::parse(other));
    let spelled = name.to_string();
    assert!(spelled.is_ascii(), "{spelled}");
    assert_eq!(DnsName::parse(&spelled), name, "read again");
    assert_eq!(DnsName::parse(&spelled.to_ascii_uppercase()), name, "in capitals");
    assert_eq!(DnsName::parse(&format!("{spelled}.")), name, "with its final dot");
    family(&name, &parent);
    if let Ok(domain) = Domain::parse(one) {
        sends(&domain);
    }
}

fn family(name: &DnsName, parent: &DnsName) {
    let below = name.below(parent);
    assert!(below.is_within(parent), "{below} is below {parent}");
    assert_eq!(below.depth(), name.depth() + parent.depth());
    let mut above = below.clone();
    for _ in 0..name.depth() {
        above = above.parent().expect("as many as it has labels");
    }
    assert_eq!(&above, parent, "going up from {below}");
    // A name is written below its origin so that it can be put together again.
    let written = below.relative_to(parent);
    let read = match (written.as_str(), written.strip_suffix('.')) {
        ("@", _) => parent.clone(),
        (_, Some(absolute)) => DnsName::parse(absolute),
        (relative, None) => DnsName::parse(relative).below(parent),
    };
    assert_eq!(read, below, "written as {written} below {parent}");
}

/// What a name server and SES accept: labels of 1 to 63 letters, digits and hyphens, not at their ends.
fn sends(domain: &Domain) {
    let name = domain.as_str();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    assert!(name.len() <= 253 && name.split('.').all(label), "`{name}` is no domain");
    assert!(name.contains('.'), "`{name}` is a single label");
    assert!(name.parse::<std::net::Ipv4Addr>().is_err(), "`{name}` is an address");
    assert_eq!(domain.name().to_string(), name, "as a DNS name");
    assert_eq!(Domain::parse(name).as_ref(), Ok(domain), "read again");
}
