"""What every converter of values raises; who knows the row turns it into a RowError."""


class Unfit(Exception):
    """A value breaks this rule."""
