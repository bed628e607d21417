# Development as it is planned, from the network to the edge.

mock_provider "aws" {
  source = "../../tests/aws"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../../tests/us_east_1"
}

variables {
  image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  site_dir  = "../../modules/site/tests/content"
}

run "small_and_easy_to_throw_away" {
  assert {
    condition     = length(module.network.nat_public_ips) == 1 && length(module.network.private_subnet_ids) == 2
    error_message = "One NAT gateway for two zones."
  }

  assert {
    condition     = output.delivery == "event_source_mapping"
    error_message = "There are no pipes in Melbourne."
  }

  assert {
    condition     = length([for label in keys(module.pipeline.alarms) : label if startswith(label, "replication:")]) == 0
    error_message = "No replica."
  }

  assert {
    condition     = output.url == module.edge.url && output.url != output.api_endpoint
    error_message = "With the front that prod has."
  }

  assert {
    condition     = local.api_environment.LEDGER_RATE_LIMIT == "1200/minute"
    error_message = "A client can't take an instance for itself."
  }
}

run "for_an_emulator" {
  variables {
    emulator_url = "http://127.0.0.1:4566"
    delivery     = "event_source_mapping"
    image_uri    = null
    zip_file     = "tests/dev.tftest.hcl" # any file will do for a plan
  }

  assert {
    condition     = startswith(local.api_environment.LEDGER_JWT_JWKS, "http://127.0.0.1:4566/")
    error_message = "The keys that tokens are verified with are the emulator's."
  }
}

# One run for all that is refused: each plans everything anew.
run "what_nobody_should_run_with_is_refused" {
  command = plan

  variables {
    image_uri  = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger:latest" # a tag can move
    rate_limit = "many"                                                            # the API would not start with it
    site_dir   = "tests"                                                           # without its pages it says how to get them
  }

  expect_failures = [var.image_uri, var.rate_limit, var.site_dir]
}
