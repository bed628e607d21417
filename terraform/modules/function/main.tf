# One function: its role, its log group, the published version that `live` points to.

locals {
  log_group = "/aws/lambda/${var.name}"
  arn       = "arn:${var.scope.partition}:lambda:${var.scope.region}:${var.scope.account_id}:function:${var.name}"

  # Network interfaces have no ARN before they exist, so these take any resource. Lambda makes and
  # removes them in the function's name; the function's own code is denied the same calls.
  interfaces = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"]

  in_network = [for statement in [
    {
      Sid       = "InterfacesInTheNetwork"
      Effect    = "Allow"
      Action    = local.interfaces
      Resource  = ["*"]
      Condition = null
    },
    {
      Sid       = "InterfacesAreLambdasBusiness"
      Effect    = "Deny"
      Action    = local.interfaces
      Resource  = ["*"]
      Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.arn } }
    },
  ] : statement if var.network != null]

  basics = [
    {
      Sid       = "WriteItsLogs"
      Effect    = "Allow"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = ["arn:${var.scope.partition}:logs:${var.scope.region}:${var.scope.account_id}:log-group:${local.log_group}:*"]
      Condition = null
    },
    {
      # Traces have no ARN.
      Sid       = "SendTraces"
      Effect    = "Allow"
      Action    = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource  = ["*"]
      Condition = null
    },
    {
      Sid       = "ReadItsEnvironment"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [var.keys.secrets]
      Condition = { StringEquals = { "kms:EncryptionContext:aws:lambda:FunctionArn" = local.arn } }
    },
  ]

  statements = concat(local.basics, local.in_network, var.statements)
  policy = {
    Version   = "2012-10-17"
    Statement = [for statement in local.statements : { for name, value in statement : name => value if value != null }]
  }
}

resource "aws_iam_role" "this" {
  name        = "${var.name}-${var.scope.region}"
  description = "The function ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaRunsTheFunction"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "what-it-may-do"
  role   = aws_iam_role.this.id
  policy = jsonencode(local.policy)
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.keys.logs
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116: it is for asynchronous calls, and the only ones are sweeps, which the next minute's makes up for; queues and stream have dead letters of their own
  # checkov:skip=CKV_AWS_272: Lambda verifies signatures of Zip files only; an image is named by its digest
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn
  architectures = [var.architecture]
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds
  kms_key_arn   = var.keys.secrets
  publish       = true

  package_type     = var.package.image_uri == null ? "Zip" : "Image"
  image_uri        = var.package.image_uri
  filename         = var.package.zip_file
  source_code_hash = var.package.zip_file == null ? null : filebase64sha256(var.package.zip_file)
  handler          = var.package.zip_file == null ? null : var.handler
  runtime          = var.package.zip_file == null ? null : var.package.runtime

  reserved_concurrent_executions = var.reserved_concurrency

  dynamic "image_config" {
    for_each = var.package.image_uri == null ? [] : [var.handler]

    content {
      command = [image_config.value]
    }
  }

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that is used; moving it back is a rollback."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
