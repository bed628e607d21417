# Alarms as data: what is watched, and when it is too much. `of` says how many of how many minutes
# (or periods) must be bad. No data is no problem: nothing happens at night.

locals {
  minute = { period = 60, statistic = "Sum", threshold = 0, bad = 1, of = 1 }

  lambda_alarms = merge(
    { for label, function in var.functions : "errors:${label}" => merge(local.minute, {
      namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = function }, bad = 2, of = 5
      says      = "The function ${label} fails or runs out of time."
    }) },
    { for label, function in var.functions : "throttles:${label}" => merge(local.minute, {
      namespace = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = function }, bad = 3, of = 5
      says      = "The function ${label} may not run as often as it is wanted: its reserved concurrency, or the account's, is used up."
    }) },
  )

  queue_alarms = merge(
    { for label, queue in var.dead_letter_queues : "dead-letters:${label}" => merge(local.minute, {
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = queue }, statistic = "Maximum"
      says      = "Messages of ${label} were given up. They wait in ${queue} for 14 days."
    }) },
    { for label, consumer in var.consumers : "queue-age:${label}" => merge(local.minute, {
      namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = consumer.queue }, statistic = "Maximum"
      threshold = var.thresholds.queue_age_seconds, bad = 3, of = 3
      says      = "A message has waited for ${label} for more than ${var.thresholds.queue_age_seconds} s."
    }) },
    { for label, consumer in var.consumers : "lag:${label}" => merge(local.minute, {
      namespace = "Ledger", metric = "ProjectionLagMs", dimensions = { consumer = label }, statistic = "Maximum"
      threshold = 1000 * var.thresholds.lag_seconds, bad = 5, of = 5
      says      = "What ${label} shows or does is more than ${var.thresholds.lag_seconds} s behind the ledger."
    }) },
    { for label, consumer in var.consumers : "lost:${label}" => merge(local.minute, {
      namespace = "AWS/Events", metric = "InvocationsFailedToBeSentToDlq", dimensions = { EventBusName = var.bus, RuleName = consumer.rule }
      says      = "The bus could deliver events of ${label} neither to the queue nor to its dead letters. Rebuild or replay: they are in the event table."
    }) },
  )

  relay_alarms = merge(
    {
      "history-mutated" = merge(local.minute, {
        namespace = "Ledger", metric = "EventTableMutated", dimensions = { consumer = "relay" }
        says      = "An event was changed or removed. Nobody may do that: find out who did, and verify the ledger."
      })
      "relay-rejected" = merge(local.minute, {
        namespace = "Ledger", metric = "RelayRejected", dimensions = { consumer = "relay" }
        says      = "The event table's stream held something that is no event of the ledger."
      })
      "publish-failed" = merge(local.minute, {
        namespace = "Ledger", metric = "PublishFailed", dimensions = { consumer = "relay" }, bad = 3, of = 5
        says      = "The bus does not take events. They come again until they are too old."
      })
    },
    var.relay.delivery != "event_source_mapping" ? {} : {
      "iterator-age" = merge(local.minute, {
        namespace = "AWS/Lambda", metric = "IteratorAge", dimensions = { FunctionName = var.functions["relay"] }, statistic = "Maximum"
        threshold = 1000 * var.thresholds.iterator_age_seconds, bad = 3, of = 5
        says      = "The relay is more than ${var.thresholds.iterator_age_seconds} s behind the event table's stream, which forgets after a day."
      })
    },
    var.relay.delivery != "pipe" ? {} : {
      "pipe-failed" = merge(local.minute, {
        namespace = "AWS/EventBridge/Pipes", metric = "ExecutionFailed", dimensions = { PipeName = var.relay.pipe_name }, bad = 3, of = 5
        says      = "The pipe can't deliver the event table's stream, which forgets after a day."
      })
    },
  )

  api_alarms = merge(
    {
      "contention" = merge(local.minute, {
        namespace = "Ledger", metric = "Contention", dimensions = { consumer = "api" }, period = 300
        threshold = var.thresholds.contentions
        says      = "Many commands were turned away (503) because others were faster on the same positions, or because DynamoDB was busy."
      })
    },
    !var.has_api ? {} : {
      "api-errors" = merge(local.minute, {
        namespace = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = var.api_id }, threshold = 5, bad = 2, of = 5
        says      = "The API answers with errors of its own (5xx)."
      })
      "api-slow" = merge(local.minute, {
        namespace = "AWS/ApiGateway", metric = "Latency", dimensions = { ApiId = var.api_id }, statistic = "p99"
        threshold = var.thresholds.api_p99_milliseconds, bad = 5, of = 5
        says      = "One request in a hundred takes more than ${var.thresholds.api_p99_milliseconds} ms."
      })
    },
    !var.lease ? {} : {
      "lease-age" = merge(local.minute, {
        namespace = "Ledger", metric = "LeaseAge", dimensions = { consumer = "api" }, statistic = "Maximum"
        threshold = 1000 * var.thresholds.lease_age_seconds, bad = 2, of = 3
        says      = "The lease could not be read for ${var.thresholds.lease_age_seconds} s: this Region writes no more."
      })
    },
  )

  table_alarms = merge(
    { for label, table in var.tables : "throttled-reads:${label}" => merge(local.minute, {
      namespace = "AWS/DynamoDB", metric = "ReadThrottleEvents", dimensions = { TableName = table }, bad = 3, of = 5
      says      = "Reads of the table ${table} are throttled."
    }) },
    { for label, table in var.tables : "throttled-writes:${label}" => merge(local.minute, {
      namespace = "AWS/DynamoDB", metric = "WriteThrottleEvents", dimensions = { TableName = table }, bad = 3, of = 5
      says      = "Writes to the table ${table} are throttled."
    }) },
    # DynamoDB counts its own errors by operation only: these are the ones commands consist of.
    { for operation in ["Query", "TransactWriteItems"] : "table-errors:${operation}" => merge(local.minute, {
      namespace = "AWS/DynamoDB", metric = "SystemErrors", dimensions = { TableName = var.tables["events"], Operation = operation }, bad = 3, of = 5
      says      = "DynamoDB answers ${operation} on the table ${var.tables["events"]} with errors of its own."
    }) },
    var.replica == null ? {} : { for label in try(var.replica.tables, []) : "replication:${label}" => merge(local.minute, {
      namespace = "AWS/DynamoDB", metric = "ReplicationLatency", dimensions = { TableName = var.tables[label], ReceivingRegion = var.replica.region }, statistic = "Average"
      threshold = 1000 * var.thresholds.replication_lag_seconds, bad = 5, of = 5
      says      = "The replica of ${var.tables[label]} in ${var.replica.region} is far behind: an unplanned failover would lose that much."
    }) },
  )

  alarms = merge(local.lambda_alarms, local.queue_alarms, local.relay_alarms, local.api_alarms, local.table_alarms)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${replace(each.key, ":", "-")}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook}#${split(":", each.key)[0]}"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  datapoints_to_alarm = each.value.bad
  evaluation_periods  = each.value.of
  treat_missing_data  = "notBreaching"

  namespace          = each.value.namespace
  metric_name        = each.value.metric
  dimensions         = each.value.dimensions
  period             = each.value.period
  statistic          = each.value.statistic == "p99" ? null : each.value.statistic
  extended_statistic = each.value.statistic == "p99" ? "p99" : null

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_budgets_budget" "this" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.name}-monthly-${var.region}" # budgets have no Region
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = format("%.1f", var.monthly_budget_usd)
  limit_unit   = "USD"

  notification {
    comparison_operator       = "GREATER_THAN"
    notification_type         = "ACTUAL"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [var.alarm_topic_arn]
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    notification_type         = "FORECASTED"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [var.alarm_topic_arn]
  }
}
