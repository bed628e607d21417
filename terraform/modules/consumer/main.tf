# One consumer of the bus: a rule, a queue with its dead letters, and the function that empties it.

locals {
  full      = "${var.name}-${var.consumer}"
  queue     = local.full
  dead      = "${local.full}-dead-letters"
  queue_arn = "arn:${var.scope.partition}:sqs:${var.scope.region}:${var.scope.account_id}:${local.queue}"
  dead_arn  = "arn:${var.scope.partition}:sqs:${var.scope.region}:${var.scope.account_id}:${local.dead}"
  rule_arn  = "arn:${var.scope.partition}:events:${var.scope.region}:${var.scope.account_id}:rule/${var.bus_name}/${local.full}"

  # The rule delivers to the queue; what it can't deliver for a day it puts among the dead letters.
  queue_policies = { for name, arn in { (local.queue) = local.queue_arn, (local.dead) = local.dead_arn } : name => {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }
      },
      {
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["sqs:*"]
        Resource  = arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  } }

  of_sqs = { StringEquals = { "kms:ViaService" = "sqs.${var.scope.region}.amazonaws.com" } }

  statements = [
    {
      Sid       = "EmptyItsQueue"
      Effect    = "Allow"
      Action    = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource  = [local.queue_arn]
      Condition = null
    },
    {
      Sid       = "PutAwayDeadLetters"
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
      Condition = local.of_sqs
    },
  ]
}

resource "aws_sqs_queue" "this" {
  name              = local.queue
  kms_master_key_id = var.keys.messages

  # A message stays hidden while it may still be handled: AWS advises six times the function's time.
  visibility_timeout_seconds = 6 * var.function.timeout_seconds + var.batch_window_seconds
  message_retention_seconds  = 14 * 24 * 3600
  receive_wait_time_seconds  = 20

  # One more than the application's own count: it gives a message up first, and says why.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 100 # for functions that die; what is wrong with a message, the application finds out
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead
  kms_master_key_id         = var.keys.messages
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.id
  policy    = jsonencode(local.queue_policies[local.queue])
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = jsonencode(local.queue_policies[local.dead])
}

resource "aws_cloudwatch_event_rule" "this" {
  name           = local.full
  description    = var.description
  event_bus_name = var.bus_name
  event_pattern  = var.event_pattern
}

resource "aws_cloudwatch_event_target" "this" {
  rule           = aws_cloudwatch_event_rule.this.name
  event_bus_name = var.bus_name
  target_id      = "queue"
  arn            = aws_sqs_queue.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 24 * 3600
    maximum_retry_attempts       = 185
  }

  # Events before the policies would be lost.
  depends_on = [aws_sqs_queue_policy.this, aws_sqs_queue_policy.dead_letters]
}

module "function" {
  source = "../function"

  name                 = local.full
  description          = var.description
  scope                = var.scope
  handler              = "projections.handlers.${var.consumer}.handler"
  package              = var.function.package
  architecture         = var.function.architecture
  memory_mb            = var.function.memory_mb
  timeout_seconds      = var.function.timeout_seconds
  reserved_concurrency = var.function.reserved_concurrency
  statements           = concat(local.statements, var.function.statements)
  network              = var.function.network
  keys                 = { logs = var.keys.logs, secrets = var.keys.secrets }
  log_retention_days   = var.function.log_retention_days
  snap_start           = var.function.snap_start

  environment = merge(var.function.environment, {
    LEDGER_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    LEDGER_MAX_RECEIVES          = tostring(var.max_receives)
    POWERTOOLS_SERVICE_NAME      = var.consumer
  })
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = aws_sqs_queue.this.arn
  function_name                      = module.function.alias_arn
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batch_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}
