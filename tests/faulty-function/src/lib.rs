//! A custom resource that panics, exits, hangs or continues on demand.
