# The bus is encrypted and keeps what it was given.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name    = "ledger-test"
  scope   = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  key_arn = "arn:aws:kms:ap-southeast-4:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555"
}

run "encrypted_and_archived" {
  assert {
    condition     = aws_cloudwatch_event_bus.this.kms_key_identifier == var.key_arn && aws_sqs_queue.dead_letters.kms_master_key_id == var.key_arn
    error_message = "The bus and its dead letters are encrypted with the customer's key."
  }

  assert {
    condition     = aws_cloudwatch_event_archive.this.retention_days == 30 && aws_cloudwatch_event_archive.this.event_source_arn == aws_cloudwatch_event_bus.this.arn
    error_message = "Events are archived for 30 days."
  }
}

run "the_bus_reaches_its_dead_letters" {
  assert {
    condition = aws_cloudwatch_event_bus.this.dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn && length([
      for statement in output.policies["ledger-test-bus-dead-letters"].Statement : statement if(
        statement.Effect == "Allow" && try(statement.Principal.Service, "") == "events.amazonaws.com" && statement.Action == ["sqs:SendMessage"] &&
        try(statement.Condition.ArnEquals["aws:SourceArn"], "") == "arn:aws:events:ap-southeast-4:111122223333:event-bus/ledger-test"
      )
    ]) == 1
    error_message = "What the bus can't encrypt or decrypt is put away."
  }
}
