"""The figures of Hanzo Live beside its peers', taken in one run on one machine. Not tests: nothing here asserts a time."""
