# The dashboard, top to bottom: what customers notice, how far behind the views are, what waits and
# what was given up, what the tables are asked for, and the relay.

locals {
  functions = sort(keys(var.functions))
  consumers = sort(keys(var.consumers))
  dead      = sort(keys(var.dead_letter_queues))
  tables    = sort(keys(var.tables))

  rows = [
    {
      title = "Orders and errors"
      graphs = concat(
        !var.has_api ? [] : [
          { title = "Requests a minute, and how many failed", stat = "Sum", unit = "requests", metrics = [
            ["AWS/ApiGateway", "Count", "ApiId", var.api_id, { label = "requests" }],
            ["AWS/ApiGateway", "4xx", "ApiId", var.api_id, { label = "refused (4xx)" }],
            ["AWS/ApiGateway", "5xx", "ApiId", var.api_id, { label = "failed (5xx)" }],
          ] },
          { title = "How long requests take", stat = "p50", unit = "ms", metrics = [
            ["AWS/ApiGateway", "Latency", "ApiId", var.api_id, { label = "half of them", stat = "p50" }],
            ["AWS/ApiGateway", "Latency", "ApiId", var.api_id, { label = "99 of 100", stat = "p99" }],
          ] },
        ],
        [
          { title = "Errors of functions", stat = "Sum", unit = "errors", metrics = [for f in local.functions : ["AWS/Lambda", "Errors", "FunctionName", var.functions[f], { label = f }]] },
          { title = "Commands turned away by contention", stat = "Sum", unit = "commands", metrics = [["Ledger", "Contention", "consumer", "api", { label = "contention" }]] },
        ],
      )
    },
    {
      title = "How far behind the views are"
      graphs = [
        { title = "Lag", stat = "Maximum", unit = "ms", metrics = [for c in local.consumers : ["Ledger", "ProjectionLagMs", "consumer", c, { label = c }]] },
        { title = "Events applied a minute", stat = "Sum", unit = "events", metrics = [for c in local.consumers : ["Ledger", "Applied", "consumer", c, { label = c }]] },
        { title = "Functions at work", stat = "Maximum", unit = "invocations at once", metrics = [for f in local.functions : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.functions[f], { label = f }]] },
      ]
    },
    {
      title = "Queues and dead letters"
      graphs = [
        { title = "Waiting messages", stat = "Maximum", unit = "messages", metrics = [for c in local.consumers : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.consumers[c].queue, { label = c }]] },
        { title = "Age of the oldest message", stat = "Maximum", unit = "s", metrics = [for c in local.consumers : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.consumers[c].queue, { label = c }]] },
        { title = "Dead letters (should be 0)", stat = "Maximum", unit = "messages", metrics = [for d in local.dead : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letter_queues[d], { label = d }]] },
      ]
    },
    {
      title = "What the tables are asked for"
      graphs = [
        { title = "Write units a minute", stat = "Sum", unit = "units", metrics = [for t in local.tables : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.tables[t], { label = t }]] },
        { title = "Read units a minute", stat = "Sum", unit = "units", metrics = [for t in local.tables : ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", var.tables[t], { label = t }]] },
        { title = "Throttled writes (should be 0)", stat = "Sum", unit = "requests", metrics = [for t in local.tables : ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.tables[t], { label = t }]] },
      ]
    },
    {
      title = "The relay: from the event table to the bus"
      graphs = [
        { title = "Events published a minute", stat = "Sum", unit = "events", metrics = [
          ["Ledger", "Published", "consumer", "relay", { label = "published" }],
          ["Ledger", "PublishFailed", "consumer", "relay", { label = "not taken by the bus" }],
        ] },
        { title = "Behind the stream", stat = "Maximum", unit = "ms", metrics = [["AWS/Lambda", "IteratorAge", "FunctionName", var.functions["relay"], { label = "iterator age (mapping only)" }]] },
        { title = "Must never happen", stat = "Sum", unit = "records", metrics = [
          ["Ledger", "EventTableMutated", "consumer", "relay", { label = "history was changed" }],
          ["Ledger", "RelayRejected", "consumer", "relay", { label = "not an event of the ledger" }],
        ] },
      ]
    },
  ]

  row_height = 7

  widgets = flatten([for y, row in local.rows : concat(
    [{
      type       = "text"
      x          = 0
      y          = y * local.row_height
      width      = 24
      height     = 1
      properties = { markdown = "## ${row.title}", background = "transparent" }
    }],
    [for x, graph in row.graphs : {
      type   = "metric"
      x      = x * floor(24 / length(row.graphs))
      y      = y * local.row_height + 1
      width  = floor(24 / length(row.graphs))
      height = local.row_height - 1
      properties = {
        title   = graph.title
        region  = var.region
        view    = "timeSeries"
        stat    = graph.stat
        period  = 60
        yAxis   = { left = { min = 0, label = graph.unit, showUnits = false } }
        metrics = graph.metrics
      }
    }],
  )])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${var.region}" # every Region shows the account's dashboards
  dashboard_body = jsonencode({ widgets = local.widgets })
}
