//! Rotations of users of real MySQL servers, named after what each module proves.

mod world;

mod rotations_end_well;
mod rotations_stopped;
mod rotations_under_load;
