//! MySQL connections from a secret's ARN: verified TLS, errors told apart, quoting that round-trips.
