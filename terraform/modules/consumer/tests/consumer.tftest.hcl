# A consumer's queue, its dead letters, and who may write to them.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name          = "ledger-test"
  consumer      = "orders"
  description   = "Keeps the list of orders up to date"
  scope         = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  bus_name      = "ledger-test"
  event_pattern = "{\"source\": [\"ledger\"]}"
  keys = {
    messages = "arn:aws:kms:ap-southeast-4:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555"
    logs     = "arn:aws:kms:ap-southeast-4:111122223333:key/cccccccc-2222-3333-4444-555555555555"
    secrets  = "arn:aws:kms:ap-southeast-4:111122223333:key/dddddddd-2222-3333-4444-555555555555"
  }
  function = {
    package            = { image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
    architecture       = "arm64"
    memory_mb          = 512
    timeout_seconds    = 30
    environment        = { LEDGER_STORE = "dynamodb:ledger-test" }
    statements         = []
    log_retention_days = 90
  }
}

run "queues_are_encrypted" {
  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.keys.messages && aws_sqs_queue.dead_letters.kms_master_key_id == var.keys.messages
    error_message = "Both queues are encrypted with the customer's key."
  }
}

run "messages_come_again_and_end_among_the_dead_letters" {
  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds >= 6 * 30
    error_message = "A message is hidden for six times as long as the function may take."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 100 && module.function.name == "ledger-test-orders"
    error_message = "The queue gives up one receipt after the application."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds == 1209600 && aws_sqs_queue.this.message_retention_seconds == 1209600
    error_message = "Dead letters are kept for 14 days."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:ap-southeast-4:111122223333:ledger-test-orders"]
    error_message = "No other queue's messages end here."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
    error_message = "What the rule can't deliver ends among the dead letters."
  }
}

run "the_rule_may_send_to_both" {
  assert {
    condition = alltrue([for queue in ["ledger-test-orders", "ledger-test-orders-dead-letters"] : length([
      for statement in output.policies[queue].Statement : statement if(
        statement.Effect == "Allow" && try(statement.Principal.Service, "") == "events.amazonaws.com" &&
        statement.Action == ["sqs:SendMessage"] && statement.Resource == "arn:aws:sqs:ap-southeast-4:111122223333:${queue}" &&
        try(statement.Condition.ArnEquals["aws:SourceArn"], "") == "arn:aws:events:ap-southeast-4:111122223333:rule/ledger-test/ledger-test-orders"
      )
    ]) == 1])
    error_message = "The rule, and no other, sends to the queue and to the dead letters."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.this.policy) == output.policies["ledger-test-orders"] && jsondecode(aws_sqs_queue_policy.dead_letters.policy) == output.policies["ledger-test-orders-dead-letters"]
    error_message = "These are the policies the queues get."
  }
}

run "failures_are_told_one_by_one" {
  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.this.scaling_config[0].maximum_concurrency == 10
    error_message = "Only what failed comes again, and not everything at once."
  }
}

run "a_large_batch_needs_a_window" {
  command = plan

  variables {
    batch_size = 100
  }

  expect_failures = [var.batch_size]
}

run "throttling_does_not_make_dead_letters" {
  command = plan

  variables {
    function = {
      package              = { image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
      architecture         = "arm64"
      memory_mb            = 512
      timeout_seconds      = 30
      reserved_concurrency = 1
      environment          = {}
      statements           = []
      log_retention_days   = 90
    }
    maximum_concurrency = 2
  }

  expect_failures = [var.maximum_concurrency]
}
