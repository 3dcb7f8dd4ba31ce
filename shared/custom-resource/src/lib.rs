//! CloudFormation custom resources on Lambda: from the request's envelope to exactly one response.
