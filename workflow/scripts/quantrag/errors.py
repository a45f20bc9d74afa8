"""The one exception that means: the user can fix this."""


class UserError(Exception):
    """A mistake in the user's input or set-up.

    The message says what is wrong, where (file, key, row) and what is allowed. It reaches the
    terminal and the rule's log as it is, without a traceback.
    """
