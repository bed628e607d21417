"""Functions of AWS Lambda: `projections.handlers.NAME.handler`, one module per function."""
