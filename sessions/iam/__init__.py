"""Hanzo IAM, or any issuer of OpenID Connect that the operator allows: its word for who somebody is.

Its JWTs are accepted as bearers (`bearers`), and people sign in through it (`sign_in`). Not for what they may do here.
"""
