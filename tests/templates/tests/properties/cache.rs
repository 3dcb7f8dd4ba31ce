//! Prevents: sessions that are thrown out by the wrong policy, a user whose old password comes back with an update, and a
//! node that nobody watches.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Templates};

use crate::support::{each, each_declared, set, unless};

const FILE: &str = "modules/cache.yaml";
const GROUP: &str = "AWS::ElastiCache::ReplicationGroup";
const USER: &str = "AWS::ElastiCache::User";

/// Symfony's adapter for tags refuses any other policy than these.
fn policy(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::ElastiCache::ParameterGroup"], |group| {
        let policy = group.properties.at("Properties/maxmemory-policy").text();
        unless(policy.starts_with("volatile-") || policy == "noeviction", || {
            format!("evicts by {policy}")
        })
    })
}

#[test]
fn the_cache_evicts_only_what_may_expire() {
    proven(
        policy,
        &Seed::set(
            FILE,
            "Resources/ParameterGroup/Properties/Properties/maxmemory-policy",
            json!("allkeys-lru"),
        ),
        "cache: ParameterGroup (AWS::ElastiCache::ParameterGroup): evicts by allkeys-lru",
    );
}

fn access(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[USER], |user| {
        let access = user.properties.at("AccessString").text();
        let words: Vec<&str> = access.split(' ').collect();
        if user.properties.at("UserName") == "default" {
            let is_shut =
                words.contains(&"off") && words.contains(&"-@all") && !words.iter().any(|word| word.starts_with('+'));
            return unless(is_shut, || format!("is anonymous and may {access}"));
        }
        // INFO is of the dangerous commands and has to be given back after them.
        let position = |wanted: &str| words.iter().position(|word| *word == wanted);
        let may =
            words.contains(&"on") && position("+info") > position("-@dangerous") && position("-@dangerous").is_some();
        unless(may && words.contains(&"+@all"), || format!("may {access}"))
    })
}

#[test]
fn the_anonymous_user_is_off_and_mautics_may_what_symfony_asks_but_nothing_dangerous() {
    let path = |user: &str| format!("Resources/{user}/Properties/AccessString");
    proven(
        access,
        &Seed::set(FILE, &path("DefaultUser"), json!("on ~* +@all")),
        "cache: DefaultUser (AWS::ElastiCache::User): is anonymous and may on ~* +@all",
    );
    proven(
        access,
        &Seed::set(FILE, &path("MauticUser"), json!("on ~* +@all")),
        "cache: MauticUser (AWS::ElastiCache::User): may on ~* +@all",
    );
    proven(
        access,
        &Seed::set(FILE, &path("MauticUser"), json!("on ~* +@all +info -@dangerous")),
        "cache: MauticUser (AWS::ElastiCache::User): may on ~* +@all +info -@dangerous",
    );
}

/// A group of the engine redis needs a user of this name, or it takes one in that is open to all.
fn replaced_default(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::ElastiCache::UserGroup"], |group| {
        let names: Vec<String> = group
            .properties
            .at("UserIds")
            .listed()
            .into_iter()
            .filter_map(|id| deployment.owner(id))
            .map(|user| user.properties.at("UserName").text())
            .collect();
        let is_replaced = names.iter().any(|name| name == "default");
        unless(is_replaced && names.len() > 1, || format!("holds {names:?}"))
    })
}

#[test]
fn the_group_replaces_the_default_user() {
    proven(
        replaced_default,
        &Seed::remove(FILE, "Resources/UserGroup/Properties/UserIds/0"),
        "cache: UserGroup (AWS::ElastiCache::UserGroup): holds [\"mautic\"]",
    );
}

/// What a declaration takes from parameters, apart from the installation's name, which never changes.
fn changeable(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |file, _, declared| {
        let is_fixed = declared.at("Type") == USER;
        if !is_fixed {
            return None;
        }
        let text = declared.at("Properties").to_string();
        let parameters = templates.file(file).ok()?.section("Parameters");
        let used: Vec<&str> = parameters
            .map(|(name, _)| name)
            .filter(|name| !matches!(*name, "Application" | "Environment"))
            .filter(|name| text.contains(&format!("{{\"Ref\":\"{name}\"}}")) || text.contains(&format!("${{{name}}}")))
            .collect();
        unless(used.is_empty(), || {
            format!("an update of {used:?} would send the first password again")
        })
    })
}

#[test]
fn no_parameter_changes_a_user_of_the_cache() {
    proven_of_files(
        changeable,
        &Seed::set(FILE, "Resources/MauticUser/Properties/Engine", json!({"Ref": "Engine"})),
        "modules/cache.yaml: MauticUser: an update of [\"Engine\"] would send the first password again",
    );
}

/// The names of all nodes, as the service makes them.
fn nodes(group: &Value, id: &str) -> BTreeSet<String> {
    let shards = group.at("NumNodeGroups").text().parse().unwrap_or(1);
    let members = 1 + group.at("ReplicasPerNodeGroup").text().parse().unwrap_or(0);
    let is_cluster = group.at("ClusterMode") == "enabled";
    let of_shard = |shard: usize| (1..=members).map(move |member| (shard, member));
    set((1..=shards).flat_map(of_shard).map(|(shard, member): (usize, usize)| {
        if is_cluster {
            format!("{id}-{shard:04}-{member:03}")
        } else {
            format!("{id}-{member:03}")
        }
    }))
}

fn unwatched(deployment: &Deployment) -> Vec<Finding> {
    let there: BTreeSet<String> = deployment
        .of_type(&[GROUP])
        .flat_map(|group| nodes(&group.properties, &format!("<{}.{}>", group.module, group.logical_id)))
        .collect();
    each(deployment, &["AWS::CloudWatch::Alarm"], |alarm| {
        let metrics = alarm.properties.at("Metrics").listed();
        let judged: BTreeSet<String> = metrics
            .iter()
            .filter(|metric| metric.at("MetricStat/Metric/Namespace") == "AWS/ElastiCache")
            .map(|metric| metric.at("MetricStat/Metric/Dimensions/0/Value").text())
            .collect();
        unless(judged.is_empty() || judged == there, || {
            format!("judges {judged:?}, there are {there:?}")
        })
    })
}

#[test]
fn every_alarm_of_the_cache_judges_every_node_and_no_other() {
    let group = "<cache.ReplicationGroup>";
    proven(
        unwatched,
        &Seed::set(
            "modules/cache-alarms.yaml",
            "Conditions/HasReplica",
            json!({"Fn::Equals": ["one", "other"]}),
        ),
        &format!(
            "cache-alarms: CacheMemoryTooHighAlarm (AWS::CloudWatch::Alarm): judges {{\"{group}-001\"}}, there are \
             {{\"{group}-001\", \"{group}-002\"}}"
        ),
    );
}
