"""The list of conversations: searched as one types, opened, and kept in order."""
