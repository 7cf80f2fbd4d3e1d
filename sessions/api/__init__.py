"""REST over sessions, messages, members and the caller's own account. Views parse, ask `access`, call a verb."""
