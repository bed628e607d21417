# Keys of the customer's own, one per purpose: who may read messages need not be able to read tables.
# Policies are written from names, so that a plan shows all of them before anything exists.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id # its `name` is deprecated in the provider's version 6

  here = "${local.partition}:%s:${local.region}:${local.account}"
  arn = {
    bus    = "arn:${format(local.here, "events")}:event-bus/${var.name}"
    queues = "arn:${format(local.here, "sqs")}:${var.name}-*"
    topics = "arn:${format(local.here, "sns")}:${var.name}-*"
    groups = [for path in ["/aws/lambda/", "/aws/vendedlogs/", "/aws/vendedlogs/apigateway/", "/aws/vpc/"] : "arn:${format(local.here, "logs")}:log-group:${path}${var.name}*"]
  }

  of_this_account = { StringEquals = { "aws:SourceAccount" = local.account } }

  # The account's own IAM policies decide who manages and uses the key: without this nobody could.
  administration = {
    Sid       = "AccountDecidesByIam"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    Action    = ["kms:*"]
    Resource  = "*"
  }

  producers = {
    # Functions and DynamoDB use this key in the name of a principal that IAM lets use it.
    data = []

    messages = [
      {
        Sid       = "BusLooksUpItsKey"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:DescribeKey"]
        Resource  = "*"
        Condition = local.of_this_account
      },
      {
        Sid       = "BusEncryptsEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account, "kms:EncryptionContext:aws:events:event-bus:arn" = local.arn.bus } }
      },
      {
        # EventBridge passes KMS neither aws:SourceArn nor aws:SourceAccount when it delivers to an
        # encrypted target: a condition on them would drop events without an error. What SQS
        # encrypts for confines the statement instead; the queues' policies name the rules.
        Sid       = "RulesDeliverToQueues"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:sqs:arn" = local.arn.queues } }
      },
      {
        Sid       = "TopicsDeliverToQueues"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnLike = { "kms:EncryptionContext:aws:sqs:arn" = local.arn.queues } }
      },
      {
        Sid       = "AlarmsReachTopics"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnLike = { "kms:EncryptionContext:aws:sns:topicArn" = local.arn.topics } }
      },
      {
        Sid       = "BudgetsReachTopics"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnLike = { "kms:EncryptionContext:aws:sns:topicArn" = local.arn.topics } }
      },
    ]

    logs = [
      {
        Sid       = "LogGroupsOfThisName"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.arn.groups } }
      },
    ]

    # Secrets Manager and Lambda use this key in the name of a principal that IAM lets use it.
    secrets = []
  }

  policies = { for purpose in var.purposes : purpose => {
    Version   = "2012-10-17"
    Statement = concat([local.administration], local.producers[purpose])
  } }
}

resource "aws_kms_key" "this" {
  for_each = var.purposes

  description             = "${var.name}: ${each.key}"
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
  policy                  = jsonencode(local.policies[each.key])
}

resource "aws_kms_alias" "this" {
  for_each = var.purposes

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
