"""A local AWS for this project: an emulator of the services' APIs, real functions, a real MySQL."""
