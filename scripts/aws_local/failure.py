"""What a person can do something about."""


class Failure(Exception):
    """Says what was being done and what is wrong with it; shown without a trace."""
