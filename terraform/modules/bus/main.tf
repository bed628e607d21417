# The bus all events are published to, and its archive.

locals {
  arn      = "arn:${var.scope.partition}:events:${var.scope.region}:${var.scope.account_id}:event-bus/${var.name}"
  dead_arn = "arn:${var.scope.partition}:sqs:${var.scope.region}:${var.scope.account_id}:${var.name}-bus-dead-letters"

  dead_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "BusPutsAwayWhatItCantEncrypt"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = local.dead_arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.arn } }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["sqs:*"]
        Resource  = local.dead_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  }
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-bus-dead-letters"
  kms_master_key_id         = var.key_arn
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = jsonencode(local.dead_policy)
}

resource "aws_cloudwatch_event_bus" "this" {
  name               = var.name
  description        = "Every event of the ledger, in CloudEvents' shape"
  kms_key_identifier = var.key_arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  depends_on = [aws_sqs_queue_policy.dead_letters]
}

resource "aws_cloudwatch_event_archive" "this" {
  name             = var.name
  description      = "Events of the bus, to replay to a consumer's rule"
  event_source_arn = aws_cloudwatch_event_bus.this.arn
  retention_days   = var.archive_days
}
