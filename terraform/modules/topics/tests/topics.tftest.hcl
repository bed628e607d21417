# Who may publish to what.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name         = "ledger-test"
  scope        = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  key_arn      = "arn:aws:kms:ap-southeast-4:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555"
  alarm_emails = ["somebody@example.com"]
  inbox        = true
}

run "encrypted" {
  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.kms_master_key_id == var.key_arn]) && aws_sqs_queue.inbox[0].kms_master_key_id == var.key_arn
    error_message = "Topics and inbox are encrypted with the customer's key."
  }
}

run "alarms_and_budgets_publish" {
  assert {
    condition = alltrue([for service, source in { "cloudwatch.amazonaws.com" = "arn:aws:cloudwatch:ap-southeast-4:111122223333:alarm:ledger-test-*", "budgets.amazonaws.com" = "arn:aws:budgets::111122223333:*" } : length([
      for statement in output.policies["ledger-test-alarms"].Statement : statement if(
        statement.Effect == "Allow" && try(statement.Principal.Service, "") == service && statement.Action == ["sns:Publish"] &&
        try(statement.Condition.ArnLike["aws:SourceArn"], "") == source && try(statement.Condition.StringEquals["aws:SourceAccount"], "") == "111122223333"
      )
    ]) == 1])
    error_message = "Alarms and budgets of this account publish to the alarms' topic."
  }

  assert {
    condition     = alltrue([for statement in output.policies["ledger-test-notifications"].Statement : statement.Effect == "Deny"])
    error_message = "Notifications are published by a role, not by a service."
  }

  assert {
    condition     = [for subscription in aws_sns_topic_subscription.alarms : subscription.endpoint] == ["somebody@example.com"]
    error_message = "Somebody is told."
  }
}

run "the_topic_reaches_the_inbox" {
  assert {
    condition = length([for statement in output.policies["ledger-test-inbox"].Statement : statement if(
      statement.Effect == "Allow" && try(statement.Principal.Service, "") == "sns.amazonaws.com" && statement.Action == ["sqs:SendMessage"] &&
      try(statement.Condition.ArnEquals["aws:SourceArn"], "") == "arn:aws:sns:ap-southeast-4:111122223333:ledger-test-notifications"
    )]) == 1
    error_message = "The topic of notifications, and no other, sends to the inbox."
  }
}

run "no_inbox_unless_asked_for" {
  variables {
    inbox = false
  }

  assert {
    condition     = length(aws_sqs_queue.inbox) == 0 && !contains(keys(output.policies), "ledger-test-inbox")
    error_message = "No inbox was asked for."
  }
}
