"""What can go wrong, in words that say what to do."""


class MySqlError(Exception):
    """A server could not be found, fetched, started or stopped; the text names the remedy."""
