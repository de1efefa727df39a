"""A small bot with real parts: its data is trained, its actions run."""
