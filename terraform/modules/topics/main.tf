# Two topics: what people and systems are told of the business, and alarms for whoever runs it.

locals {
  arn = { for topic in ["notifications", "alarms"] : topic => "arn:${var.scope.partition}:sns:${var.scope.region}:${var.scope.account_id}:${var.name}-${topic}" }

  inbox     = "${var.name}-inbox"
  inbox_arn = "arn:${var.scope.partition}:sqs:${var.scope.region}:${var.scope.account_id}:${local.inbox}"

  only_by_tls = { for topic, arn in local.arn : topic => {
    Sid       = "OnlyByTls"
    Effect    = "Deny"
    Principal = { AWS = "*" }
    Action    = ["sns:Publish"]
    Resource  = arn
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  } }

  producers = {
    # The function that notifies is allowed to by its role.
    notifications = []
    alarms = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["sns:Publish"]
        Resource  = local.arn.alarms
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.scope.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.scope.partition}:cloudwatch:${var.scope.region}:${var.scope.account_id}:alarm:${var.name}-*" }
        }
      },
      {
        Sid       = "BudgetsPublish"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = ["sns:Publish"]
        Resource  = local.arn.alarms
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.scope.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.scope.partition}:budgets::${var.scope.account_id}:*" }
        }
      },
    ]
  }

  topic_policies = { for topic in ["notifications", "alarms"] : topic => {
    Version   = "2012-10-17"
    Statement = concat([local.only_by_tls[topic]], local.producers[topic])
  } }

  inbox_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheTopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = local.inbox_arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.arn.notifications } }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["sqs:*"]
        Resource  = local.inbox_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  }
}

resource "aws_sns_topic" "this" {
  for_each = local.arn

  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.arn

  arn    = aws_sns_topic.this[each.key].arn
  policy = jsonencode(local.topic_policies[each.key])
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.this["alarms"].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sqs_queue" "inbox" {
  count = var.inbox ? 1 : 0

  name                      = local.inbox
  kms_master_key_id         = var.key_arn
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_policy" "inbox" {
  count = var.inbox ? 1 : 0

  queue_url = aws_sqs_queue.inbox[0].id
  policy    = jsonencode(local.inbox_policy)
}

resource "aws_sns_topic_subscription" "inbox" {
  count = var.inbox ? 1 : 0

  topic_arn            = aws_sns_topic.this["notifications"].arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.inbox[0].arn
  raw_message_delivery = true

  depends_on = [aws_sqs_queue_policy.inbox]
}
