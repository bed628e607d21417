# The manifest's tables become what they are to be.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name    = "ledger-test"
  scope   = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  key_arn = "arn:aws:kms:ap-southeast-4:111122223333:key/aaaaaaaa-2222-3333-4444-555555555555"

  tables = {
    events = {
      purpose                = "Every event."
      hash_key               = { name = "stream", type = "S" }
      range_key              = { name = "version", type = "N" }
      stream_view_type       = "NEW_IMAGE"
      point_in_time_recovery = true
      deletion_protection    = true
      replicated             = true
      indexes                = {}
    }
    commands = {
      purpose                = "Idempotency keys."
      hash_key               = { name = "key", type = "S" }
      ttl_attribute          = "expires_at"
      point_in_time_recovery = true
      deletion_protection    = true
      replicated             = true
      indexes                = {}
    }
    orders = {
      purpose                = "A view."
      hash_key               = { name = "key", type = "S" }
      point_in_time_recovery = false
      deletion_protection    = false
      replicated             = false
      indexes = {
        all    = { hash_key = { name = "all_shard", type = "S" }, range_key = { name = "listed_by", type = "S" } }
        status = { hash_key = { name = "status_shard", type = "S" }, range_key = { name = "listed_by", type = "S" } }
      }
    }
  }
}

run "without_a_replica" {
  assert {
    condition = alltrue([for table in aws_dynamodb_table.this : (
      table.billing_mode == "PAY_PER_REQUEST" && table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == var.key_arn
    )])
    error_message = "Every table is billed per request and encrypted with the customer's key."
  }

  assert {
    condition     = aws_dynamodb_table.this["events"].stream_view_type == "NEW_IMAGE" && !aws_dynamodb_table.this["commands"].stream_enabled && !aws_dynamodb_table.this["orders"].stream_enabled
    error_message = "Only the event table has a stream."
  }

  assert {
    condition     = aws_dynamodb_table.this["events"].deletion_protection_enabled && aws_dynamodb_table.this["commands"].deletion_protection_enabled && !aws_dynamodb_table.this["orders"].deletion_protection_enabled
    error_message = "What can't be rebuilt refuses to be deleted."
  }

  assert {
    condition     = aws_dynamodb_table.this["events"].point_in_time_recovery[0].enabled && aws_dynamodb_table.this["events"].point_in_time_recovery[0].recovery_period_in_days == 35 && !aws_dynamodb_table.this["orders"].point_in_time_recovery[0].enabled
    error_message = "What can't be rebuilt can be recovered to any second of 35 days."
  }

  assert {
    condition     = aws_dynamodb_table.this["commands"].ttl[0].attribute_name == "expires_at" && length(aws_dynamodb_table.this["events"].ttl) == 0
    error_message = "Commands expire, events never."
  }

  assert {
    condition     = aws_dynamodb_table.this["events"].hash_key == "stream" && aws_dynamodb_table.this["events"].range_key == "version" && toset([for attribute in aws_dynamodb_table.this["orders"].attribute : attribute.name]) == toset(["key", "all_shard", "status_shard", "listed_by"])
    error_message = "Keys and indexes are the manifest's."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : length(table.replica) == 0])
    error_message = "No replica was asked for."
  }

  assert {
    condition     = output.arns.events == "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events" && keys(output.stream_arns) == ["events"]
    error_message = "ARNs are known from names."
  }
}

run "with_a_replica" {
  variables {
    replica = { region = "ap-southeast-2", key_arn = "arn:aws:kms:ap-southeast-2:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555" }
  }

  assert {
    condition = alltrue([for name in ["commands", "events"] : (
      one(aws_dynamodb_table.this[name].replica).region_name == "ap-southeast-2" &&
      one(aws_dynamodb_table.this[name].replica).kms_key_arn == var.replica.key_arn &&
      one(aws_dynamodb_table.this[name].replica).point_in_time_recovery
    )])
    error_message = "Replicas are encrypted with their own Region's key and recoverable."
  }

  assert {
    condition     = aws_dynamodb_table.this["events"].stream_view_type == "NEW_AND_OLD_IMAGES" && aws_dynamodb_table.this["commands"].stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "A Global Table's streams hold both images."
  }

  assert {
    condition     = length(aws_dynamodb_table.this["orders"].replica) == 0
    error_message = "Views are each Region's own."
  }
}

run "in_the_region_of_the_replicas" {
  variables {
    replicated_tables = "adopt"
  }

  override_data {
    target = data.aws_dynamodb_table.adopted["events"]
    values = { stream_arn = "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events/stream/1" }
  }

  assert {
    condition     = keys(aws_dynamodb_table.this) == ["orders"] && output.stream_arns.events == "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events/stream/1"
    error_message = "Replicas are found, not made."
  }
}

run "protection_can_be_off" {
  variables {
    deletion_protection = false
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : !table.deletion_protection_enabled])
    error_message = "Where history may be thrown away, it can be."
  }
}

run "replicas_are_not_made_twice" {
  command = plan

  variables {
    replicated_tables = "adopt"
    replica           = { region = "ap-southeast-2", key_arn = "arn:aws:kms:ap-southeast-2:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555" }
  }

  expect_failures = [var.replicated_tables]
}
