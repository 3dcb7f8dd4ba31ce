//! The steps against Secrets Manager in memory and a door that opens to two keys, named after what each module proves.

mod door;

mod steps_once_and_again;
mod steps_refused;
