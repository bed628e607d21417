# Access log and firewall log, in us-east-1, where CloudFront and its firewall deliver them.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account     = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  logs_prefix = "arn:${local.partition}:logs:us-east-1:${local.account}"

  log_groups = {
    access   = "/aws/vendedlogs/cloudfront/${var.name}"
    firewall = "aws-waf-logs-${var.name}" # the only names a web ACL may log to
  }
}

resource "aws_kms_key" "logs" {
  description             = "${var.name}: logs of the edge"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ThisAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "CloudWatchLogs"
        Effect    = "Allow"
        Principal = { Service = "logs.us-east-1.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = [for group in sort(values(local.log_groups)) : "${local.logs_prefix}:log-group:${group}"] }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-edge-logs"
  target_key_id = aws_kms_key.logs.key_id
}

resource "aws_cloudwatch_log_group" "edge" {
  for_each = local.log_groups

  name              = each.value
  kms_key_id        = aws_kms_key.logs.arn
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_resource_policy" "edge" {
  policy_name = "${var.name}-edge"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LogsAreDelivered"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = [for group in sort(values(local.log_groups)) : "${local.logs_prefix}:log-group:${group}:*"]
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.logs_prefix}:*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  name         = "${var.name}-cloudfront"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  name          = "${var.name}-cloudfront"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.edge["access"].arn
  }

  depends_on = [aws_cloudwatch_log_resource_policy.edge]
}

resource "aws_cloudwatch_log_delivery" "access" {
  delivery_source_name     = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn
}
