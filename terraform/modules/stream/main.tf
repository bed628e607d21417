# The event table's stream, delivered to the relay. There is one reader per shard, and this is it.

locals {
  # From the SDK's endpoint data, November 2026. Event source mappings are offered everywhere.
  regions_without_pipes = ["ap-east-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "il-central-1", "mx-central-1"]

  delivery = var.delivery != "auto" ? var.delivery : contains(local.regions_without_pipes, var.scope.region) ? "event_source_mapping" : "pipe"
  piped    = local.delivery == "pipe"

  dead     = "${var.name}-stream-dead-letters"
  dead_arn = "arn:${var.scope.partition}:sqs:${var.scope.region}:${var.scope.account_id}:${local.dead}"

  dead_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["sqs:*"]
      Resource  = local.dead_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  }

  # Whoever reads the stream, the pipe or the relay's own role.
  reader = [
    {
      Sid       = "ReadTheStream"
      Effect    = "Allow"
      Action    = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      Resource  = [var.stream_arn]
      Condition = null
    },
    {
      # This action takes no resource narrower than all streams.
      Sid       = "FindTheStream"
      Effect    = "Allow"
      Action    = ["dynamodb:ListStreams"]
      Resource  = ["*"]
      Condition = null
    },
    {
      Sid       = "TheStreamIsEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.keys.data
      Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.${var.scope.region}.amazonaws.com", "streams.dynamodb.${var.scope.region}.amazonaws.com"] } }
    },
    {
      Sid       = "PutAwayWhatCantBeRelayed"
      Effect    = "Allow"
      Action    = ["sqs:SendMessage"]
      Resource  = [local.dead_arn]
      Condition = null
    },
    {
      Sid       = "MessagesAreEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.keys.messages]
      Condition = { StringEquals = { "kms:ViaService" = "sqs.${var.scope.region}.amazonaws.com" } }
    },
  ]

  invoker = [{
    Sid       = "InvokeTheRelay"
    Effect    = "Allow"
    Action    = ["lambda:InvokeFunction"]
    Resource  = [var.relay.alias_arn]
    Condition = null
  }]

  policy = {
    Version   = "2012-10-17"
    Statement = [for statement in concat(local.reader, local.piped ? local.invoker : []) : { for name, value in statement : name => value if value != null }]
  }
}

# Where a batch goes that failed too often or got too old: its place in the stream, not its events.
# They are in the event table.
resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead
  kms_master_key_id         = var.keys.messages
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = jsonencode(local.dead_policy)
}

# ---- an event source mapping: Lambda reads the stream in the name of the relay's role

resource "aws_iam_role_policy" "relay" {
  count = local.piped ? 0 : 1

  name   = "read-the-stream"
  role   = var.relay.role_name
  policy = jsonencode(local.policy)
}

resource "aws_lambda_event_source_mapping" "relay" {
  count = local.piped ? 0 : 1

  event_source_arn  = var.stream_arn
  function_name     = var.relay.alias_arn
  starting_position = "TRIM_HORIZON" # LATEST may miss what is written while the mapping is made

  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batch_window_seconds
  parallelization_factor             = var.parallelization
  maximum_retry_attempts             = var.maximum_attempts
  maximum_record_age_in_seconds      = var.maximum_age_seconds
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }

  # No filter: MODIFY and REMOVE must reach the relay, which raises an alarm on them.
  depends_on = [aws_iam_role_policy.relay]
}

# ---- a pipe: it reads the stream in the name of a role of its own

resource "aws_iam_role" "pipe" {
  count = local.piped ? 1 : 0

  name        = "${var.name}-pipe-${var.scope.region}"
  description = "The pipe from the event table's stream to the relay"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ThePipeReadsAndInvokes"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "pipes.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.scope.account_id }
        ArnEquals    = { "aws:SourceArn" = "arn:${var.scope.partition}:pipes:${var.scope.region}:${var.scope.account_id}:pipe/${var.name}" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "pipe" {
  count = local.piped ? 1 : 0

  name   = "read-the-stream-and-invoke-the-relay"
  role   = aws_iam_role.pipe[0].id
  policy = jsonencode(local.policy)
}

resource "aws_cloudwatch_log_group" "pipe" {
  count = local.piped ? 1 : 0

  name              = "/aws/vendedlogs/${var.name}-pipe"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.keys.logs
}

resource "aws_pipes_pipe" "relay" {
  count = local.piped ? 1 : 0

  name        = var.name
  description = "From the event table's stream to the relay"
  role_arn    = aws_iam_role.pipe[0].arn
  source      = var.stream_arn
  target      = var.relay.alias_arn

  source_parameters {
    dynamodb_stream_parameters {
      starting_position                  = "TRIM_HORIZON" # LATEST may miss what is written while the pipe is made
      batch_size                         = var.batch_size
      maximum_batching_window_in_seconds = var.batch_window_seconds
      parallelization_factor             = var.parallelization
      maximum_retry_attempts             = var.maximum_attempts
      maximum_record_age_in_seconds      = var.maximum_age_seconds
      on_partial_batch_item_failure      = "AUTOMATIC_BISECT"

      dead_letter_config {
        arn = aws_sqs_queue.dead_letters.arn
      }
    }
  }

  target_parameters {
    lambda_function_parameters {
      invocation_type = "REQUEST_RESPONSE" # else nothing is tried again
    }
  }

  log_configuration {
    level = "ERROR"

    cloudwatch_logs_log_destination {
      log_group_arn = aws_cloudwatch_log_group.pipe[0].arn
    }
  }

  depends_on = [aws_iam_role_policy.pipe]
}
