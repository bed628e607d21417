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
    condition     = length(module.edge) == 1 && length(module.site) == 1
    error_message = "With the front that prod has."
  }
}

run "for_an_emulator" {
  variables {
    emulated  = true
    front     = false
    delivery  = "event_source_mapping"
    image_uri = null
    zip_file  = "tests/dev.tftest.hcl" # any file will do for a plan
  }

  assert {
    condition     = length(module.edge) == 0 && output.url == output.api_endpoint
    error_message = "The API without its front."
  }
}

run "no_tags_for_images" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger:latest"
  }

  expect_failures = [var.image_uri]
}
