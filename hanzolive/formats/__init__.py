"""How numbers and moments are written."""
