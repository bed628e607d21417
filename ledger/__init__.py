"""The event-sourced inventory ledger: domain, service and stores."""
