"""The process that runs the pinned emulator with the pieces that it lacks, one module a service."""
