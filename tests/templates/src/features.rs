//! The features that are combined. Add a feature to its group, or a group, and every property runs over it.

/// A choice that somebody may make: a name and the parameters that choose it.
#[derive(Debug)]
pub struct Feature {
    /// For messages.
    pub name: &'static str,
    /// Parameters of the root template.
    pub parameters: &'static [(&'static str, &'static str)],
}

const fn feature(name: &'static str, parameters: &'static [(&'static str, &'static str)]) -> Feature {
    Feature { name, parameters }
}

/// What every deployment gives: the root's required parameters but Environment.
pub const MINIMAL: &[(&str, &str)] = &[("Domain", "example.com")];

/// What the rules ask of production besides.
#[must_use]
pub fn production(environment: &str) -> &'static [(&'static str, &'static str)] {
    if environment == "prod" {
        &[("AlarmEmail", "alarms@example.com")]
    } else {
        &[]
    }
}

/// A certificate that exists.
pub const CERTIFICATE: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef";

/// A network that exists.
pub const EXISTING: &[(&str, &str)] = &[
    ("VpcId", "vpc-0123456789abcdef0"),
    ("PublicSubnetIds", "subnet-0000000a,subnet-0000000b"),
    ("PrivateSubnetIds", "subnet-0000001a,subnet-0000001b"),
    ("IsolatedSubnetIds", "subnet-0000002a,subnet-0000002b"),
];

const WITH_ROUTE_TABLES: &[(&str, &str)] = &[
    EXISTING[0],
    EXISTING[1],
    EXISTING[2],
    EXISTING[3],
    ("RouteTableIds", "rtb-0000000a"),
    ("InterfaceEndpoints", "all"),
];

/// Groups of which one feature is chosen, or none: then the parameters stay blank.
pub const GROUPS: &[(&str, &[Feature])] = &[
    ("network", NETWORK),
    ("dns", DNS),
    ("database", DATABASE),
    ("cache", CACHE),
    ("site", SITE),
    ("containers", CONTAINERS),
    ("mautic", MAUTIC),
    ("image", IMAGE),
    ("backup", BACKUP),
    ("mail", MAIL),
    ("notice", NOTICE),
];

const NETWORK: &[Feature] = &[
    feature("three zones", &[("ZoneCount", "3")]),
    feature(
        "three zones with one NAT",
        &[
            ("ZoneCount", "3"),
            ("NatGateways", "one"),
            ("InterfaceEndpoints", "functions"),
        ],
    ),
    feature(
        "NAT a zone",
        &[
            ("NatGateways", "one-a-zone"),
            ("InterfaceEndpoints", "all"),
            ("VpcCidr", "10.0.0.0/20"),
        ],
    ),
    feature(
        "no NAT",
        &[
            ("NatGateways", "none"),
            ("InterfaceEndpoints", "all"),
            ("ZoneCount", "3"),
        ],
    ),
    feature("existing network", EXISTING),
    feature("existing network with route tables", WITH_ROUTE_TABLES),
];

const DNS: &[Feature] = &[
    feature(
        "zone given",
        &[
            ("HostedZoneId", "Z0123456789ABCDEFGHIJ"),
            ("ApexSpf", "true"),
            ("WaitSeconds", "3540"),
        ],
    ),
    feature(
        "zone elsewhere",
        &[
            ("HostedZoneRoleArn", "arn:aws:iam::210987654321:role/dns"),
            ("SiteHostedZoneId", "Z0ABCDEFGHIJ123456789"),
            ("WaitSeconds", "0"),
        ],
    ),
    feature(
        "external DNS",
        &[
            ("ExternalDns", "true"),
            ("MailFromSubdomain", ""),
            ("DmarcPolicy", ""),
            ("CertificateArn", CERTIFICATE),
        ],
    ),
];

const CACHE: &[Feature] = &[
    feature(
        "cache cluster of own size",
        &[
            ("CacheClusterMode", "true"),
            ("CacheEngine", "valkey"),
            ("CacheNodeType", "cache.r7g.large"),
            ("CacheShards", "2"),
            ("CacheReplicas", "2"),
            ("CacheSnapshotDays", "0"),
        ],
    ),
    feature(
        "cache cluster as it comes",
        &[("CacheClusterMode", "true"), ("FileSystemThroughput", "elastic")],
    ),
];

const SITE: &[Feature] = &[
    feature(
        "own certificate",
        &[
            ("CertificateArn", CERTIFICATE),
            ("LoadBalancerDeletionProtection", "true"),
        ],
    ),
    feature(
        "site of another name",
        &[
            ("SiteDomain", "marketing.example.net"),
            ("StickySessions", "true"),
            ("WebFirewallMode", "count"),
            ("WebFirewallRateLimit", "500"),
        ],
    ),
];

const CONTAINERS: &[Feature] = &[
    feature(
        "nothing on Spot",
        &[("Spot", "none"), ("ContainerInsights", "enhanced")],
    ),
    feature("shells in tasks", &[("EcsExec", "true"), ("Spot", "workers")]),
];

const MAUTIC: &[Feature] = &[
    feature(
        "tasks of own size",
        &[
            ("TaskArchitecture", "X86_64"),
            ("WebSize", "4-16"),
            ("WorkerSize", "1-2"),
            ("JobSize", "2-4"),
            ("WebTasks", "3-30"),
            ("Workers", "4-12"),
            ("MauticApi", "true"),
            ("AdministratorEmail", "ann@example.net"),
            ("Sender", "Ann of Example <ann@example.com>"),
            ("JobMinutes", "10-20"),
            ("OptionalJobs", "both"),
            ("CleanupDays", "90"),
        ],
    ),
    feature(
        "no jobs and no mail",
        &[("HoldMail", "true"), ("JobMinutes", "off-off"), ("NightlyHour", "off")],
    ),
];

const IMAGE: &[Feature] = &[
    feature("image of one's own", &[("ImageUri", "example.com/mautic:7")]),
    feature(
        "image from a mirror",
        &[
            (
                "ImageBase",
                "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/mautic/mautic",
            ),
            ("ImagePatches", "monthly-20261201"),
        ],
    ),
    feature(
        "image from Docker Hub with an account",
        &[
            (
                "ImageBase",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:docker-hub-AbCdEf",
            ),
            ("ImagePatches", "off"),
        ],
    ),
];

const BACKUP: &[Feature] = &[
    feature(
        "backups of own length",
        &[
            ("BackupDailyDays", "14"),
            ("BackupWeeklyDays", "60"),
            ("BackupMonthlyDays", "730"),
            ("BackupVaultLock", "compliance"),
            (
                "BackupCopyVaultArn",
                "arn:aws:backup:eu-west-1:210987654321:backup-vault:copies",
            ),
            ("RestoreTests", "true"),
            ("RestoreMaxAgeDays", "5"),
        ],
    ),
    feature("a lock that some may open", &[("BackupVaultLock", "governance")]),
];

const DATABASE: &[Feature] = &[
    feature(
        "Mautic 6",
        &[
            ("MauticVersion", "6.0"),
            ("DatabaseVersion", "8.0"),
            ("DatabaseInsights", "off"),
        ],
    ),
    feature(
        "from a snapshot",
        &[
            ("DatabaseSnapshot", "rds:mautic-prod-1-2026-11-23"),
            ("DatabaseGeneration", "2"),
        ],
    ),
    feature(
        "database of own size",
        &[
            ("DatabaseInstanceClass", "db.r7g.xlarge"),
            ("DatabaseStorage", "400"),
            ("DatabaseMaxStorage", "2000"),
            ("DatabaseMultiAZ", "true"),
            ("DatabaseBackupDays", "14"),
            ("DatabaseDeletionProtection", "true"),
            ("DatabaseInsights", "advanced"),
            ("DatabaseMonitoringSeconds", "15"),
            ("FileSystemThroughput", "bursting"),
            ("AdoptExistingDatabase", "true"),
        ],
    ),
];

const MAIL: &[Feature] = &[feature(
    "mail user of one's own",
    &[
        (
            "SmtpSecretArn",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:smtp-AbCdEf",
        ),
        ("SoftBounces", "5-30"),
        ("PermanentStatuses", "5.1.1,5.1.2"),
        ("SuppressInSes", "true"),
        ("AdoptExistingDomain", "true"),
        ("OnTimeout", "SUCCEED"),
        ("FunctionArchitecture", "x86_64"),
    ],
)];

const NOTICE: &[Feature] = &[
    feature("nobody", &[("AlarmEmail", "")]),
    feature(
        "somebody",
        &[
            ("AlarmEmail", "alarms@example.com"),
            ("LogRetentionDays", "90"),
            ("LogLevel", "WARN"),
            ("PagerEmail", "pager@example.com"),
            ("CostCenter", "4711"),
        ],
    ),
];
