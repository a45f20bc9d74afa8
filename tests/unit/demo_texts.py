"""The texts of the demo set's users."""


def all_texts(users):
    """Queries and documents of some users."""
    return [text for user in users for text in (user.query, *user.profile)]
