//! Deploys a CloudFormation stack and shows what happens: progress, root cause, summary.
