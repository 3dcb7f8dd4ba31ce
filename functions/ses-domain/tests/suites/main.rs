//! `Custom::SesDomain` against an SES and a Route 53 in memory, one module for each thing proven.

mod clients;
mod dns_clients;
mod generators;
mod stage;
mod world;

mod dkim_dns;
mod dmarc_record;
mod dns_verification;
mod ses_domain_ownership;
mod ses_domain_races;
mod ses_domain_recovery;
mod ses_domain_setup;
mod spf_record;
