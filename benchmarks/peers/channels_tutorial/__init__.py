"""The chat server of the Channels tutorial, reduced to what fans out: the peer that most Django projects start from."""
