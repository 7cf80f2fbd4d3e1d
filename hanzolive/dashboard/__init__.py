"""The admin panel's start page: how this server does, now and in the last hour."""
