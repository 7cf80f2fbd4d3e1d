"""Everything that is made from the models: schema, AsyncAPI, TypeScript, documentation, fixtures.

`python -m hanzo_live.protocol.generate` writes them, `--check` says what differs. Never edit what is written here.
"""
