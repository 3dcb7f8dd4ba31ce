//! Which metrics AWS publishes for a resource, and with which dimensions: those that alarms here may name.
//!
//! Sources, each under docs.aws.amazon.com: AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html leads to
//! every service's own page; the page is named beside each entry.

/// Whose name a dimension's value is.
#[derive(Debug)]
pub enum Owner {
    /// A Ref to a resource of the type.
    Reference(&'static str),
    /// An attribute of a resource of the type.
    Attribute(&'static str, &'static str),
    /// The same text as a property of a resource of the type.
    Property(&'static str, &'static str),
    /// A name that begins with a Ref to a resource of the type, as those of a group's members do.
    Within(&'static str),
    /// What a parameter of the root gives.
    Parameter(&'static str),
    /// Always this.
    Constant(&'static str),
}

/// Metrics with the same dimensions.
#[derive(Debug)]
pub struct Published {
    /// The namespace.
    pub namespace: &'static str,
    /// Every dimension that a metric has: CloudWatch finds none with fewer.
    pub dimensions: &'static [(&'static str, &'static [Owner])],
    /// Those that there are; more than are used, so that a new alarm is judged rather than added to a list.
    pub metrics: &'static [&'static str],
}

use Owner::{Attribute, Constant, Parameter, Property, Reference, Within};
const LOAD_BALANCER: (&str, &[Owner]) = (
    "LoadBalancer",
    &[Attribute(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "LoadBalancerFullName",
    )],
);
const TARGET_GROUP: (&str, &[Owner]) = (
    "TargetGroup",
    &[Attribute(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "TargetGroupFullName",
    )],
);
const CLUSTER: (&str, &[Owner]) = ("ClusterName", &[Reference("AWS::ECS::Cluster")]);
const SERVICE: (&str, &[Owner]) = ("ServiceName", &[Attribute("AWS::ECS::Service", "Name")]);
const VAULT: (&str, &[Owner]) = ("BackupVaultName", &[Reference("AWS::Backup::BackupVault")]);

/// The table.
pub const PUBLISHED: &[Published] = &[
    // lambda/latest/dg/monitoring-metrics-types.html
    Published {
        namespace: "AWS/Lambda",
        dimensions: &[("FunctionName", &[Reference("AWS::Lambda::Function")])],
        metrics: &[
            "Invocations",
            "Errors",
            "Throttles",
            "Duration",
            "ConcurrentExecutions",
            "DeadLetterErrors",
            "DestinationDeliveryFailures",
            "AsyncEventsReceived",
            "AsyncEventAge",
            "AsyncEventsDropped",
            "IteratorAge",
        ],
    },
    // functions/rotation-rollout/src: in embedded metric format, on its standard output
    Published {
        namespace: "MauticServer/Rotation",
        dimensions: &[("Function", &[Reference("AWS::Lambda::Function")])],
        metrics: &["RolloutFailed", "OverlapSeconds", "SecretAgeSeconds"],
    },
    // AmazonRDS/latest/UserGuide/rds-metrics.html
    Published {
        namespace: "AWS/RDS",
        dimensions: &[("DBInstanceIdentifier", &[Reference("AWS::RDS::DBInstance")])],
        metrics: &[
            "CPUUtilization",
            "CPUCreditBalance",
            "DatabaseConnections",
            "FreeStorageSpace",
            "FreeableMemory",
            "SwapUsage",
            "ReadLatency",
            "WriteLatency",
            "ReadIOPS",
            "WriteIOPS",
            "ReadThroughput",
            "WriteThroughput",
            "DiskQueueDepth",
            "BurstBalance",
            "EBSByteBalance%",
            "EBSIOBalance%",
            "NetworkReceiveThroughput",
            "NetworkTransmitThroughput",
            "ReplicaLag",
            "DBLoad",
            "DBLoadCPU",
            "DBLoadNonCPU",
        ],
    },
    // ses/latest/dg/event-publishing-retrieving-cloudwatch.html: the account's own have no dimension
    Published {
        namespace: "AWS/SES",
        dimensions: &[],
        metrics: &[
            "Reputation.BounceRate",
            "Reputation.ComplaintRate",
            "Send",
            "Delivery",
            "Bounce",
            "Complaint",
            "Reject",
            "RenderingFailure",
            "Open",
            "Click",
        ],
    },
    // elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    Published {
        namespace: "AWS/ApplicationELB",
        dimensions: &[LOAD_BALANCER],
        metrics: &[
            "RequestCount",
            "HTTPCode_ELB_5XX_Count",
            "HTTPCode_ELB_4XX_Count",
            "HTTPCode_ELB_502_Count",
            "HTTPCode_ELB_503_Count",
            "HTTPCode_ELB_504_Count",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_3XX_Count",
            "HTTPCode_Target_4XX_Count",
            "HTTPCode_Target_5XX_Count",
            "TargetResponseTime",
            "TargetConnectionErrorCount",
            "RejectedConnectionCount",
            "ActiveConnectionCount",
            "NewConnectionCount",
            "ProcessedBytes",
            "ConsumedLCUs",
            "ClientTLSNegotiationErrorCount",
        ],
    },
    Published {
        namespace: "AWS/ApplicationELB",
        dimensions: &[LOAD_BALANCER, TARGET_GROUP],
        metrics: &[
            "HealthyHostCount",
            "UnHealthyHostCount",
            "RequestCount",
            "RequestCountPerTarget",
            "TargetResponseTime",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_3XX_Count",
            "HTTPCode_Target_4XX_Count",
            "HTTPCode_Target_5XX_Count",
            "TargetConnectionErrorCount",
        ],
    },
    // acm/latest/userguide/cloudwatch-metrics.html
    Published {
        namespace: "AWS/CertificateManager",
        dimensions: &[(
            "CertificateArn",
            &[
                Reference("AWS::CertificateManager::Certificate"),
                Parameter("CertificateArn"),
            ],
        )],
        metrics: &["DaysToExpiry"],
    },
    // codebuild/latest/userguide/cloudwatch_metrics-codebuild.html
    Published {
        namespace: "AWS/CodeBuild",
        dimensions: &[("ProjectName", &[Reference("AWS::CodeBuild::Project")])],
        metrics: &[
            "Builds",
            "FailedBuilds",
            "SucceededBuilds",
            "Duration",
            "BuildDuration",
            "QueuedDuration",
        ],
    },
    // AmazonECS/latest/developerguide/available-metrics.html
    Published {
        namespace: "AWS/ECS",
        dimensions: &[CLUSTER, SERVICE],
        metrics: &["CPUUtilization", "MemoryUtilization"],
    },
    // AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    Published {
        namespace: "ECS/ContainerInsights",
        dimensions: &[CLUSTER, SERVICE],
        metrics: &[
            "CpuUtilized",
            "CpuReserved",
            "MemoryUtilized",
            "MemoryReserved",
            "NetworkRxBytes",
            "NetworkTxBytes",
            "StorageReadBytes",
            "StorageWriteBytes",
            "EphemeralStorageUtilized",
            "EphemeralStorageReserved",
            "RunningTaskCount",
            "PendingTaskCount",
            "DesiredTaskCount",
            "DeploymentCount",
            "TaskSetCount",
            "RestartCount",
        ],
    },
    Published {
        namespace: "ECS/ContainerInsights",
        dimensions: &[CLUSTER],
        metrics: &[
            "TaskCount",
            "ServiceCount",
            "ContainerInstanceCount",
            "CpuUtilized",
            "MemoryUtilized",
        ],
    },
    // AmazonElastiCache/latest/dg/CacheMetrics.Redis.html, CacheMetrics.HostLevel.html: a node's; its group's name begins it
    Published {
        namespace: "AWS/ElastiCache",
        dimensions: &[("CacheClusterId", &[Within("AWS::ElastiCache::ReplicationGroup")])],
        metrics: CACHE,
    },
    Published {
        namespace: "AWS/ElastiCache",
        dimensions: &[
            ("CacheClusterId", &[Within("AWS::ElastiCache::ReplicationGroup")]),
            ("CacheNodeId", &[Constant("0001")]),
        ],
        metrics: CACHE,
    },
    // efs/latest/ug/efs-metrics.html
    Published {
        namespace: "AWS/EFS",
        dimensions: &[("FileSystemId", &[Reference("AWS::EFS::FileSystem")])],
        metrics: &[
            "BurstCreditBalance",
            "ClientConnections",
            "DataReadIOBytes",
            "DataWriteIOBytes",
            "MetadataIOBytes",
            "MeteredIOBytes",
            "PercentIOLimit",
            "PermittedThroughput",
            "StorageBytes",
            "TotalIOBytes",
        ],
    },
    // AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    Published {
        namespace: "AWS/SQS",
        dimensions: &[("QueueName", &[Attribute("AWS::SQS::Queue", "QueueName")])],
        metrics: &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
            "NumberOfMessagesDeleted",
            "NumberOfEmptyReceives",
            "SentMessageSize",
        ],
    },
    // sns/latest/dg/sns-monitoring-using-cloudwatch.html
    Published {
        namespace: "AWS/SNS",
        dimensions: &[("TopicName", &[Attribute("AWS::SNS::Topic", "TopicName")])],
        metrics: &[
            "NumberOfMessagesPublished",
            "NumberOfNotificationsDelivered",
            "NumberOfNotificationsFailed",
            "NumberOfNotificationsFilteredOut",
            "PublishSize",
        ],
    },
    // scheduler/latest/UserGuide/monitoring-cloudwatch.html
    Published {
        namespace: "AWS/Scheduler",
        dimensions: &[("ScheduleGroup", &[Reference("AWS::Scheduler::ScheduleGroup")])],
        metrics: &[
            "InvocationAttemptCount",
            "TargetErrorCount",
            "TargetErrorThrottledCount",
            "InvocationThrottleCount",
            "InvocationDroppedCount",
            "InvocationsSentToDeadLetterCount",
            "InvocationsFailedToBeSentToDeadLetterCount",
        ],
    },
    // eventbridge/latest/userguide/eb-monitoring.html
    Published {
        namespace: "AWS/Events",
        dimensions: &[("RuleName", &[Reference("AWS::Events::Rule")])],
        metrics: &[
            "Invocations",
            "FailedInvocations",
            "MatchedEvents",
            "ThrottledRules",
            "TriggeredRules",
            "InvocationsSentToDlq",
            "InvocationsFailedToBeSentToDlq",
        ],
    },
    // aws-backup/latest/devguide/cloudwatch.html
    Published {
        namespace: "AWS/Backup",
        dimensions: &[VAULT],
        metrics: BACKUP,
    },
    Published {
        namespace: "AWS/Backup",
        dimensions: &[],
        metrics: BACKUP,
    },
    // waf/latest/developerguide/waf-metrics.html
    Published {
        namespace: "AWS/WAFV2",
        dimensions: &[
            (
                "WebACL",
                &[Property("AWS::WAFv2::WebACL", "VisibilityConfig/MetricName")],
            ),
            ("Rule", &[Constant("ALL")]),
            ("Region", &[Constant("eu-central-1")]),
        ],
        metrics: &[
            "AllowedRequests",
            "BlockedRequests",
            "CountedRequests",
            "CaptchaRequests",
            "ChallengeRequests",
        ],
    },
];

const CACHE: &[&str] = &[
    "CPUUtilization",
    "EngineCPUUtilization",
    "FreeableMemory",
    "SwapUsage",
    "NetworkBytesIn",
    "NetworkBytesOut",
    "NetworkBandwidthInAllowanceExceeded",
    "NetworkBandwidthOutAllowanceExceeded",
    "DatabaseMemoryUsagePercentage",
    "DatabaseCapacityUsagePercentage",
    "BytesUsedForCache",
    "CurrConnections",
    "NewConnections",
    "CurrItems",
    "Evictions",
    "Reclaimed",
    "CacheHits",
    "CacheMisses",
    "CacheHitRate",
    "ReplicationLag",
    "ReplicationBytes",
    "MasterLinkHealthStatus",
    "AuthenticationFailures",
    "CommandAuthorizationFailures",
    "KeyAuthorizationFailures",
    "IsMaster",
    "MemoryFragmentationRatio",
];
const BACKUP: &[&str] = &[
    "NumberOfBackupJobsCreated",
    "NumberOfBackupJobsPending",
    "NumberOfBackupJobsRunning",
    "NumberOfBackupJobsAborted",
    "NumberOfBackupJobsCompleted",
    "NumberOfBackupJobsFailed",
    "NumberOfBackupJobsExpired",
    "NumberOfCopyJobsCreated",
    "NumberOfCopyJobsRunning",
    "NumberOfCopyJobsCompleted",
    "NumberOfCopyJobsFailed",
    "NumberOfRestoreJobsPending",
    "NumberOfRestoreJobsRunning",
    "NumberOfRestoreJobsCompleted",
    "NumberOfRestoreJobsFailed",
    "NumberOfRecoveryPointsCompleted",
    "NumberOfRecoveryPointsPartial",
    "NumberOfRecoveryPointsExpired",
    "NumberOfRecoveryPointsDeleting",
    "NumberOfRecoveryPointsCold",
];
