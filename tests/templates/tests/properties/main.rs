//! What holds for the templates, for every choice of parameters: one module for each thing proven.

mod combinations;
