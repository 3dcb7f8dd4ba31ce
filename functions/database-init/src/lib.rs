//! Custom::Database and Custom::DatabaseUser: schema, least-privilege users, grants.
