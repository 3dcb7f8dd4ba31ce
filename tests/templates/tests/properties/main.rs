//! What holds for the templates, for every choice of parameters: one module for each thing proven.

mod metrics;
mod support;

mod alarm_metrics;
mod alarms;
mod backup;
mod cache;
mod combinations;
mod containers;
mod custom_resources;
mod dashboards;
mod database;
mod dns_verification;
mod encryption_at_rest;
mod encryption_in_transit;
mod environments;
mod environments_page;
mod form;
mod functions;
mod held_mail;
mod iam_api_calls;
mod iam_functions;
mod iam_policy;
mod iam_trust;
mod logs;
mod network_paths;
mod network_routes;
mod notification_publishing;
mod physical_names;
mod references;
mod resource_policies;
mod resource_tagging;
mod rules;
mod scheduled_jobs;
mod ses_domain;
mod web_firewall;
