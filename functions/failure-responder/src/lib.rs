//! Answers CloudFormation when a custom resource's function died.
