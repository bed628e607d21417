# A pipe where the Region has them, else an event source mapping; either way nothing is lost silently.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name       = "ledger-test"
  scope      = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  stream_arn = "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events/stream/1"
  relay      = { name = "ledger-test-relay", alias_arn = "arn:aws:lambda:ap-southeast-4:111122223333:function:ledger-test-relay:live", role_name = "ledger-test-relay" }
  keys = {
    data     = ["arn:aws:kms:ap-southeast-4:111122223333:key/aaaaaaaa-2222-3333-4444-555555555555"]
    messages = "arn:aws:kms:ap-southeast-4:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555"
    logs     = "arn:aws:kms:ap-southeast-4:111122223333:key/cccccccc-2222-3333-4444-555555555555"
  }
}

run "a_mapping_in_melbourne" {
  assert {
    condition     = output.delivery == "event_source_mapping" && length(aws_pipes_pipe.relay) == 0 && output.pipe_name == null
    error_message = "EventBridge Pipes is not offered in ap-southeast-4."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.relay[0].starting_position == "TRIM_HORIZON" &&
      aws_lambda_event_source_mapping.relay[0].maximum_record_age_in_seconds < 86400 &&
      aws_lambda_event_source_mapping.relay[0].maximum_retry_attempts > 0 &&
      aws_lambda_event_source_mapping.relay[0].bisect_batch_on_function_error &&
      aws_lambda_event_source_mapping.relay[0].function_response_types == toset(["ReportBatchItemFailures"]) &&
      aws_lambda_event_source_mapping.relay[0].destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.dead_letters.arn
    )
    error_message = "Nothing is skipped, nothing blocks for ever, and what is given up is noted."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.relay[0].filter_criteria) == 0
    error_message = "Changes and removals must reach the relay: it raises an alarm on them."
  }

  assert {
    condition     = aws_iam_role_policy.relay[0].role == "ledger-test-relay" && !strcontains(aws_iam_role_policy.relay[0].policy, "InvokeFunction")
    error_message = "Lambda reads the stream in the name of the relay's role."
  }
}

run "a_pipe_in_sydney" {
  variables {
    scope = { partition = "aws", region = "ap-southeast-2", account_id = "111122223333" }
  }

  assert {
    condition     = output.delivery == "pipe" && length(aws_lambda_event_source_mapping.relay) == 0
    error_message = "EventBridge Pipes is offered in ap-southeast-2."
  }

  assert {
    condition = alltrue([for stream in aws_pipes_pipe.relay[0].source_parameters[0].dynamodb_stream_parameters : (
      stream.starting_position == "TRIM_HORIZON" &&
      stream.maximum_record_age_in_seconds < 86400 &&
      stream.maximum_retry_attempts > 0 &&
      stream.on_partial_batch_item_failure == "AUTOMATIC_BISECT" &&
      stream.dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
    )])
    error_message = "Nothing is skipped, nothing blocks for ever, and what is given up is noted."
  }

  assert {
    condition     = aws_pipes_pipe.relay[0].target_parameters[0].lambda_function_parameters[0].invocation_type == "REQUEST_RESPONSE" && length(aws_pipes_pipe.relay[0].source_parameters[0].filter_criteria) == 0
    error_message = "The pipe waits for the answer, and sends everything."
  }

  assert {
    condition     = aws_pipes_pipe.relay[0].target == var.relay.alias_arn && aws_cloudwatch_log_group.pipe[0].kms_key_id == var.keys.logs
    error_message = "The pipe invokes the alias; its logs are encrypted."
  }

  assert {
    condition     = alltrue([for action in ["dynamodb:GetRecords", "kms:Decrypt", "lambda:InvokeFunction", "sqs:SendMessage"] : strcontains(aws_iam_role_policy.pipe[0].policy, action)])
    error_message = "The pipe's role reads the encrypted stream, invokes the relay and puts away what it can't deliver."
  }
}

run "one_may_choose" {
  variables {
    scope    = { partition = "aws", region = "ap-southeast-2", account_id = "111122223333" }
    delivery = "event_source_mapping"
  }

  assert {
    condition     = output.delivery == "event_source_mapping"
    error_message = "What is asked for goes before what the Region offers."
  }
}

run "dead_letters_are_kept_and_encrypted" {
  assert {
    condition     = aws_sqs_queue.dead_letters.kms_master_key_id == var.keys.messages && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "Dead letters are encrypted and kept for 14 days."
  }
}

run "records_can_not_outlive_the_stream" {
  command = plan

  variables {
    maximum_age_seconds = 86400
  }

  expect_failures = [var.maximum_age_seconds]
}
