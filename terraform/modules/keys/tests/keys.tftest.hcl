# Every service that writes to something encrypted is admitted by the key, and nothing more.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name = "ledger-test"
}

run "keys_rotate_and_can_be_saved" {
  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "Every key rotates, and stays for 30 days when it is to be deleted."
  }

  assert {
    condition     = length(aws_kms_key.this) == 4
    error_message = "A key for data, messages, logs and secrets each."
  }
}

run "nobody_else_is_admitted" {
  assert {
    condition = alltrue(flatten([for policy in output.policies : [
      for statement in policy.Statement : try(statement.Condition, null) != null || statement.Sid == "AccountDecidesByIam"
    ]]))
    error_message = "A service is admitted under a condition."
  }

  assert {
    condition     = alltrue(flatten([for policy in output.policies : [for statement in policy.Statement : try(statement.Principal.AWS, "") != "*"]]))
    error_message = "No key admits everybody."
  }
}

run "the_bus_uses_its_key" {
  assert {
    condition = length([for statement in output.policies.messages.Statement : statement if(
      try(statement.Principal.Service, "") == "events.amazonaws.com" &&
      toset(statement.Action) == toset(["kms:Decrypt", "kms:GenerateDataKey"]) &&
      try(statement.Condition.StringEquals["kms:EncryptionContext:aws:events:event-bus:arn"], "") == "arn:aws:events:ap-southeast-4:111122223333:event-bus/ledger-test"
    )]) == 1
    error_message = "EventBridge encrypts the bus's events."
  }

  assert {
    condition     = length([for statement in output.policies.messages.Statement : statement if try(statement.Principal.Service, "") == "events.amazonaws.com" && contains(statement.Action, "kms:DescribeKey")]) == 1
    error_message = "EventBridge looks the bus's key up, without an encryption context."
  }
}

run "rules_reach_encrypted_queues" {
  assert {
    condition = length([for statement in output.policies.messages.Statement : statement if(
      try(statement.Principal.Service, "") == "events.amazonaws.com" &&
      toset(statement.Action) == toset(["kms:Decrypt", "kms:GenerateDataKey"]) &&
      try(statement.Condition.ArnLike["kms:EncryptionContext:aws:sqs:arn"], "") == "arn:aws:sqs:ap-southeast-4:111122223333:ledger-test-*" &&
      # It would drop every event: EventBridge does not tell KMS whence it delivers.
      !strcontains(jsonencode(try(statement.Condition, {})), "aws:Source")
    )]) == 1
    error_message = "Rules deliver to queues that are encrypted, without a condition on their source."
  }
}

run "alarms_and_budgets_reach_the_encrypted_topic" {
  assert {
    condition = alltrue([for service in ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] : length([
      for statement in output.policies.messages.Statement : statement if(
        try(statement.Principal.Service, "") == service &&
        toset(statement.Action) == toset(["kms:Decrypt", "kms:GenerateDataKey*"]) &&
        try(statement.Condition.StringEquals["aws:SourceAccount"], "") == "111122223333" &&
        try(statement.Condition.ArnLike["kms:EncryptionContext:aws:sns:topicArn"], "") == "arn:aws:sns:ap-southeast-4:111122223333:ledger-test-*"
      )
    ]) == 1])
    error_message = "Alarms and budgets publish to a topic that is encrypted."
  }
}

run "the_topic_reaches_the_encrypted_queue" {
  assert {
    condition = length([for statement in output.policies.messages.Statement : statement if(
      try(statement.Principal.Service, "") == "sns.amazonaws.com" &&
      toset(statement.Action) == toset(["kms:Decrypt", "kms:GenerateDataKey"]) &&
      try(statement.Condition.StringEquals["aws:SourceAccount"], "") == "111122223333"
    )]) == 1
    error_message = "SNS delivers to a queue that is encrypted."
  }
}

run "logs_are_encrypted" {
  assert {
    condition = length([for statement in output.policies.logs.Statement : statement if(
      try(statement.Principal.Service, "") == "logs.ap-southeast-4.amazonaws.com" &&
      contains(statement.Action, "kms:Encrypt") && contains(statement.Action, "kms:GenerateDataKey*") &&
      alltrue([for group in ["/aws/lambda/", "/aws/vendedlogs/", "/aws/vendedlogs/apigateway/", "/aws/vpc/"] :
      contains(try(statement.Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"], []), "arn:aws:logs:ap-southeast-4:111122223333:log-group:${group}ledger-test*")])
    )]) == 1
    error_message = "CloudWatch Logs encrypts the log groups of functions, pipe, API and network."
  }
}

run "a_name_is_checked" {
  command = plan

  variables {
    name = "Ledger_Test"
  }

  expect_failures = [var.name]
}
