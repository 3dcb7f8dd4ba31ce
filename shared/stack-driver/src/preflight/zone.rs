//! Which hosted zone the records go into, and whether the world asks that very zone.

use crate::aws_query::NoAnswer;
use crate::dns::candidate_zones;
use crate::preflight::finding::Finding;
use crate::settings::Settings;

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// Without the trailing dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// Those that answer for it; not known for one out of a list.
    pub name_servers: Vec<String>,
}

/// What DNS says of a zone's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delegation {
    /// These name servers answer for it.
    Servers(Vec<String>),
    /// Nobody does.
    Nobody,
    /// It could not be asked, and why.
    Unasked(String),
}

/// What the parameters say about the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish<'a> {
    /// The domain that sends.
    pub domain: &'a str,
    /// The zone's id, if one is given.
    pub zone_id: Option<&'a str>,
    /// The role in the account that has the zone.
    pub role: Option<&'a str>,
    /// Whether nothing is written.
    pub external: bool,
}

impl<'a> Wish<'a> {
    /// Reads the parameters; `None` where the template has no domain.
    #[must_use]
    pub fn read(settings: &'a Settings) -> Option<Self> {
        Some(Self {
            domain: settings.get("Domain")?,
            zone_id: settings.get("HostedZoneId"),
            role: settings.get("HostedZoneRoleArn"),
            external: settings.is_true("ExternalDns"),
        })
    }

    /// Whether the zone is one of this account's.
    #[must_use]
    pub fn is_here(&self) -> bool {
        !self.external && self.role.is_none()
    }
}

const CHECK: &str = "zone";

/// What is said where the zone is not this account's.
#[must_use]
pub fn elsewhere(wish: &Wish) -> Finding {
    if wish.external {
        let text = "DNS is elsewhere (ExternalDns): nothing is written; the records to be made are among the outputs.";
        return Finding::fine(CHECK, text);
    }
    let role = wish.role.unwrap_or_default();
    Finding::warning(
        CHECK,
        format!(
            "The zone is another account's, and was not looked at: {role} is assumed when the records are written."
        ),
        "See that the role trusts this account, and may change that zone.",
    )
}

/// Chooses the zone among those that were found: all of the candidates' names, or the one with the id.
///
/// # Errors
/// The finding, where there is none to choose.
pub fn choose<'z>(wish: &Wish, zones: &'z Result<Vec<Zone>, NoAnswer>) -> Result<&'z Zone, Finding> {
    let zones = zones.as_ref().map_err(|error| unasked(wish, error))?;
    if let Some(id) = wish.zone_id {
        return given(wish, id, zones);
    }
    for name in candidate_zones(wish.domain) {
        let public: Vec<&Zone> = zones.iter().filter(|zone| zone.name == name && !zone.private).collect();
        match public.as_slice() {
            [] => {}
            [one] => return Ok(one),
            many => {
                let ids: Vec<&str> = many.iter().map(|zone| zone.id.as_str()).collect();
                let text = format!("{} public zones are named {name}: {}.", many.len(), ids.join(", "));
                return Err(Finding::stop(
                    CHECK,
                    text,
                    "Set HostedZoneId to the one that is in use.",
                ));
            }
        }
    }
    Err(none(wish, zones))
}

fn unasked(wish: &Wish, error: &NoAnswer) -> Finding {
    if let (Some(id), true) = (wish.zone_id, error.is(&["NoSuchHostedZone"])) {
        let text = format!("There is no hosted zone {id} in this account.");
        return Finding::stop(
            CHECK,
            text,
            format!("Set HostedZoneId to the zone of {}, or leave it blank.", wish.domain),
        );
    }
    Finding::warning(
        CHECK,
        format!("The hosted zones could not be read: {error}."),
        "Whoever deploys needs route53:GetHostedZone and route53:ListHostedZonesByName.",
    )
}

fn given<'z>(wish: &Wish, id: &str, zones: &'z [Zone]) -> Result<&'z Zone, Finding> {
    let Some(zone) = zones.iter().find(|zone| zone.id == id) else {
        let text = format!("There is no hosted zone {id} in this account.");
        return Err(Finding::stop(
            CHECK,
            text,
            "Set HostedZoneId to the zone's id, or leave it blank.",
        ));
    };
    if zone.private {
        let text = format!(
            "The zone {id} ({}) is private: neither SES nor a browser sees it.",
            zone.name
        );
        return Err(Finding::stop(CHECK, text, "Set HostedZoneId to the public zone."));
    }
    if !candidate_zones(wish.domain).contains(&zone.name) {
        let text = format!(
            "The zone {id} is {}: {} does not belong into it.",
            zone.name, wish.domain
        );
        return Err(Finding::stop(
            CHECK,
            text,
            "Set HostedZoneId to the zone of the domain, or correct Domain.",
        ));
    }
    Ok(zone)
}

fn none(wish: &Wish, zones: &[Zone]) -> Finding {
    let names = candidate_zones(wish.domain);
    let private = zones.iter().find(|zone| zone.private && names.contains(&zone.name));
    let text = private.map_or_else(
        || format!("This account has no hosted zone for {}.", wish.domain),
        |zone| {
            format!(
                "The only zone for {}, {} ({}), is private.",
                wish.domain, zone.name, zone.id
            )
        },
    );
    Finding::stop(
        CHECK,
        text,
        format!(
            "`aws route53 create-hosted-zone --name {} --caller-reference 1` makes one, whose name servers the parent zone must then \
             name. Or set HostedZoneRoleArn (the zone is another account's), or ExternalDns=true (DNS is elsewhere).",
            wish.domain
        ),
    )
}

/// Judges whether DNS leads to the zone.
#[must_use]
pub fn delegated(zone: &Zone, delegation: &Delegation) -> Finding {
    let own: Vec<String> = zone.name_servers.iter().map(|name| plain(name)).collect();
    let (name, id) = (&zone.name, &zone.id);
    let enter = format!(
        "Enter these at the registrar of {name}, or as NS records in the zone above it: {}.",
        own.join(", ")
    );
    match delegation {
        Delegation::Unasked(cause) => Finding::warning(
            CHECK,
            format!("{name} is the zone {id}. Whether the world asks it is not known: {cause}."),
            format!("Without a delegation to {} no record is ever seen.", own.join(", ")),
        ),
        Delegation::Nobody => Finding::stop(
            CHECK,
            format!("{name} is the zone {id}, but DNS does not lead to it: nobody answers for {name}."),
            enter,
        ),
        Delegation::Servers(found) => {
            let found: Vec<String> = found.iter().map(|name| plain(name)).collect();
            let known = found.iter().filter(|server| own.contains(server)).count();
            if known == found.len() {
                return Finding::fine(CHECK, format!("{name} ({id}), and DNS leads to it."));
            }
            let text = format!("DNS says that {name} is answered by {}", found.join(", "));
            if known == 0 {
                let text = format!("{text}: what is written into the zone {id} is not seen.");
                return Finding::stop(
                    CHECK,
                    text,
                    format!("{enter} Or set HostedZoneId to the zone that is in use."),
                );
            }
            Finding::warning(
                CHECK,
                format!("{text}; not all of them are those of the zone {id}."),
                enter,
            )
        }
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Weight;

    fn zone(id: &str, name: &str, private: bool) -> Zone {
        Zone {
            id: id.to_owned(),
            name: name.to_owned(),
            private,
            name_servers: vec!["ns-1.awsdns-00.com".to_owned(), "ns-2.awsdns-01.net".to_owned()],
        }
    }

    fn wish(zone_id: Option<&'static str>) -> Wish<'static> {
        Wish {
            domain: "news.example.com",
            zone_id,
            role: None,
            external: false,
        }
    }

    fn chosen(zone_id: Option<&'static str>, zones: &[Zone]) -> Result<String, String> {
        let zones = Ok(zones.to_vec());
        choose(&wish(zone_id), &zones)
            .map(|zone| zone.id.clone())
            .map_err(|finding| finding.text)
    }

    #[test]
    fn the_public_zone_with_the_longest_name_is_chosen() {
        let zones = [
            zone("Z1", "example.com", false),
            zone("Z2", "news.example.com", true),
            zone("Z3", "other.example.com", false),
        ];
        assert_eq!(chosen(None, &zones), Ok("Z1".to_owned()));
        let longer = [zones.to_vec(), vec![zone("Z4", "news.example.com", false)]].concat();
        assert_eq!(chosen(None, &longer), Ok("Z4".to_owned()));
    }

    #[test]
    fn no_zone_two_zones_and_a_private_zone_are_told_apart() {
        let twins = [zone("Z1", "example.com", false), zone("Z2", "example.com", false)];
        let texts = [
            chosen(None, &[]),
            chosen(None, &twins),
            chosen(None, &[zone("Z1", "example.com", true)]),
            chosen(Some("Z9"), &twins),
            chosen(Some("Z1"), &[zone("Z1", "example.com", true)]),
            chosen(Some("Z1"), &[zone("Z1", "example.org", false)]),
        ]
        .map(|result| result.expect_err("none"));
        assert_eq!(
            texts,
            [
                "This account has no hosted zone for news.example.com.",
                "2 public zones are named example.com: Z1, Z2.",
                "The only zone for news.example.com, example.com (Z1), is private.",
                "There is no hosted zone Z9 in this account.",
                "The zone Z1 (example.com) is private: neither SES nor a browser sees it.",
                "The zone Z1 is example.org: news.example.com does not belong into it.",
            ]
        );
    }

    #[test]
    fn zones_that_cannot_be_read_only_warn_and_an_id_that_is_not_there_stops() {
        let refused = |code: &str| {
            Err(NoAnswer::Refused {
                code: code.to_owned(),
                message: "no".to_owned(),
            })
        };
        let weigh = |id, code| choose(&wish(id), &refused(code)).expect_err("none").weight;
        assert_eq!(weigh(None, "AccessDenied"), Weight::Warning);
        assert_eq!(weigh(Some("Z9"), "NoSuchHostedZone"), Weight::Stop);
    }

    #[test]
    fn dns_leads_to_the_zone_or_elsewhere_or_to_both() {
        let servers = |names: &[&str]| Delegation::Servers(names.iter().map(|&name| name.to_owned()).collect());
        let judged: Vec<(Weight, String)> = [
            servers(&["NS-1.awsdns-00.com.", "ns-2.awsdns-01.net."]),
            servers(&["ns-1.awsdns-00.com.", "ns1.registrar.example."]),
            servers(&["ns1.registrar.example."]),
            Delegation::Nobody,
            Delegation::Unasked("no name server answers".to_owned()),
        ]
        .iter()
        .map(|delegation| delegated(&zone("Z1", "example.com", false), delegation))
        .map(|finding| (finding.weight, finding.text))
        .collect();
        let expected = [
            (Weight::Fine, "example.com (Z1), and DNS leads to it."),
            (
                Weight::Warning,
                "DNS says that example.com is answered by ns-1.awsdns-00.com, ns1.registrar.example; not all of them are those of the zone Z1.",
            ),
            (
                Weight::Stop,
                "DNS says that example.com is answered by ns1.registrar.example: what is written into the zone Z1 is not seen.",
            ),
            (
                Weight::Stop,
                "example.com is the zone Z1, but DNS does not lead to it: nobody answers for example.com.",
            ),
            (
                Weight::Warning,
                "example.com is the zone Z1. Whether the world asks it is not known: no name server answers.",
            ),
        ];
        assert_eq!(judged, expected.map(|(weight, text)| (weight, text.to_owned())));
    }

    #[test]
    fn a_zone_that_is_not_this_accounts_is_not_looked_at() {
        let external = Wish {
            external: true,
            ..wish(None)
        };
        let role = Wish {
            role: Some("arn:aws:iam::444455556666:role/dns"),
            ..wish(None)
        };
        assert!(!external.is_here() && !role.is_here() && wish(None).is_here());
        assert_eq!(elsewhere(&external).weight, Weight::Fine);
        assert_eq!(
            elsewhere(&role).text,
            "The zone is another account's, and was not looked at: arn:aws:iam::444455556666:role/dns is assumed when the \
             records are written."
        );
    }
}
