//! The runtime against a small handler in memory, one module a criterion of custom resources that do not hurt their users.

mod shelf;

mod denials_pass;
mod r01_the_envelope_is_read_first;
mod r02_every_path_answers_exactly_once;
mod r03_the_put_is_patient_and_honest;
mod r04_the_body_fits;
mod r05_ids_are_deterministic;
mod r06_only_what_is_ours_is_deleted;
mod r07_updates_destroy_nothing;
mod r08_repeats_converge;
mod r09_nothing_leaks;
mod r10_long_work_continues;
mod r11_old_shapes_stay_readable;
mod reasons_speak_the_stack_s_language;
