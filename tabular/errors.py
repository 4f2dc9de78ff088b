"""The one exception that is addressed to a person."""


class UserError(Exception):
    """A mistake the user can mend: one line that says what is wrong, where, and what to do.

    The command line prints it without a stack trace and exits with code 2.
    """
