# Production in the Region of the replicas, as go-live has it applied a second time.

mock_provider "aws" {
  source = "../../tests/replica"
}

override_data {
  target = module.pipeline.module.tables.data.aws_dynamodb_table.adopted
  values = { stream_arn = "arn:aws:dynamodb:ap-southeast-2:111122223333:table/ledger-prod-events/stream/2026-11-01T00:00:00.000" }
}

mock_provider "aws" {
  alias  = "replica"
  source = "../../tests/replica"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../../tests/us_east_1"
}

variables {
  image_uri    = "111122223333.dkr.ecr.ap-southeast-2.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  alarm_emails = ["somebody@example.com"]
  site_dir     = "../../modules/site/tests/content"

  region             = "ap-southeast-2"
  replica_region     = null
  replicated_tables  = "adopt"
  lease              = true
  monthly_budget_usd = null
}

run "it_writes_under_the_lease_alone_and_shares_no_name" {
  assert {
    condition     = output.tables.events == "ledger-prod-events" && length(module.replica_keys) == 0
    error_message = "The same tables by their names, and no replicas of replicas."
  }

  assert {
    condition     = output.delivery == "pipe"
    error_message = "There are pipes in Sydney."
  }

  assert {
    condition     = contains(keys(module.pipeline.alarms), "lease-age") && module.pipeline.settings.lease == "true" && output.tables.lease == "ledger-prod-lease"
    error_message = "It reads a lease of its own, and somebody is told if it can't."
  }

  assert {
    condition     = toset(keys(module.pipeline.settings.sweeps)) == toset(["notifications", "order_processor", "sequencer"])
    error_message = "Whoever acts under the lease sweeps when this Region takes it."
  }

  # Names that exist once in an account, or in the world, are others than the first Region's.
  assert {
    condition     = output.dashboard == "ledger-prod-ap-southeast-2"
    error_message = "Dashboards are the whole account's."
  }

  assert {
    condition     = module.pipeline.api.role_name == "ledger-prod-api-ap-southeast-2"
    error_message = "Roles are the whole account's."
  }
}
