//! The real servers that the tests use, as the local AWS started them.
