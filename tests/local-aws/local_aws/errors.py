"""What can go wrong for somebody at the command line."""


class LocalAwsError(Exception):
    """A sentence that names the thing and the remedy."""
