"""Making a view again from all events while it is in use: see ADR 0015."""
