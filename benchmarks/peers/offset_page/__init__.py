"""The page that most Django projects would have: `LIMIT/OFFSET` over the same rows. A peer of P11."""
