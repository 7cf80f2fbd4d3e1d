"""Who may talk, and what was said: users, sessions, members, messages. Knows nothing of streams."""
