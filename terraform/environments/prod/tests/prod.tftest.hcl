# Production as it is planned, from the network to the edge.

mock_provider "aws" {
  source = "../../tests/aws"
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
  image_uri    = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  alarm_emails = ["somebody@example.com"]
  site_dir     = "../../modules/site/tests/content"
}

run "three_zones_and_a_replica" {
  assert {
    condition     = length(module.network.nat_public_ips) == 3 && length(module.network.private_subnet_ids) == 3
    error_message = "A NAT gateway in each of three zones."
  }

  assert {
    condition     = startswith(module.replica_keys[0].arns.data, "arn:aws:kms:ap-southeast-2:")
    error_message = "The replicas have a key of their own Region."
  }

  assert {
    condition     = contains(keys(module.pipeline.alarms), "replication:events") && length([for label in keys(module.pipeline.alarms) : label if startswith(label, "dead-letters:")]) == length(output.dead_letter_queues)
    error_message = "Replication is watched, and every queue of dead letters."
  }

  assert {
    condition     = contains(keys(output.secret_arns), "edge")
    error_message = "The secret that the front shows the API is kept for the API."
  }

  assert {
    condition     = local.api_environment.LEDGER_RATE_LIMIT == "1200/minute"
    error_message = "A client can't take an instance for itself."
  }
}

# One run for all that is refused: each plans everything anew.
run "what_nobody_should_run_with_is_refused" {
  command = plan

  variables {
    alarm_emails   = []               # somebody is told
    replica_region = "ap-southeast-4" # the replica is elsewhere
    site_dir       = "tests"          # without its pages it says how to get them
    rate_limit     = "many"           # the API would not start with it
  }

  expect_failures = [var.alarm_emails, var.replica_region, var.site_dir, var.rate_limit]
}
