# What an emulator can't do, or what would say nothing there. See terraform/README.md.

architecture       = "x86_64"
runtime            = "python3.13"
delivery           = "event_source_mapping"
monthly_budget_usd = null
