# Somebody is told of everything that needs somebody.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name               = "ledger-test"
  region             = "ap-southeast-4"
  alarm_topic_arn    = "arn:aws:sns:ap-southeast-4:111122223333:ledger-test-alarms"
  bus                = "ledger-test"
  functions          = { api = "ledger-test-api", relay = "ledger-test-relay", orders = "ledger-test-orders" }
  consumers          = { orders = { queue = "ledger-test-orders", rule = "ledger-test-orders" } }
  dead_letter_queues = { orders = "ledger-test-orders-dead-letters", relay = "ledger-test-relay-dead-letters" }
  tables             = { events = "ledger-test-events", commands = "ledger-test-commands", orders = "ledger-test-orders" }
  relay              = { delivery = "event_source_mapping" }
  has_api            = true
  api_id             = "a1b2c3"
}

run "every_alarm_reaches_somebody" {
  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : (
      contains(alarm.alarm_actions, var.alarm_topic_arn) && contains(alarm.ok_actions, var.alarm_topic_arn) && strcontains(alarm.alarm_description, "docs/runbook.md#")
    )])
    error_message = "Every alarm goes to the topic, and says where the runbook is."
  }
}

run "turned_away" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["contention"].dimensions == tomap({ consumer = "api" }) && aws_cloudwatch_metric_alarm.this["contention"].statistic == "Sum" &&
      aws_cloudwatch_metric_alarm.this["contention"].period == 300 && aws_cloudwatch_metric_alarm.this["contention"].threshold == 25
    )
    error_message = "More than 25 commands in five minutes were turned away."
  }
}

run "nothing_is_named_as_in_another_region" {
  variables {
    monthly_budget_usd = 500
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "ledger-test-ap-southeast-4" && aws_budgets_budget.this[0].name == "ledger-test-monthly-ap-southeast-4"
    error_message = "Dashboards and budgets have no Region: their names do."
  }
}

run "dead_letters" {
  assert {
    condition = alltrue([for label, queue in var.dead_letter_queues : (
      aws_cloudwatch_metric_alarm.this["dead-letters:${label}"].dimensions.QueueName == queue &&
      aws_cloudwatch_metric_alarm.this["dead-letters:${label}"].metric_name == "ApproximateNumberOfMessagesVisible" &&
      aws_cloudwatch_metric_alarm.this["dead-letters:${label}"].threshold == 0
    )])
    error_message = "One dead letter is one too many, in every queue of them."
  }
}

run "functions_queues_tables" {
  assert {
    condition     = alltrue([for label in keys(var.functions) : aws_cloudwatch_metric_alarm.this["errors:${label}"].metric_name == "Errors" && aws_cloudwatch_metric_alarm.this["throttles:${label}"].metric_name == "Throttles"])
    error_message = "Errors and throttles of every function."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["lag:orders"].namespace == "Ledger" && aws_cloudwatch_metric_alarm.this["lag:orders"].dimensions == tomap({ consumer = "orders" }) && aws_cloudwatch_metric_alarm.this["queue-age:orders"].threshold == 300
    error_message = "Lag and queue of every consumer."
  }

  assert {
    condition     = alltrue([for label in keys(var.tables) : aws_cloudwatch_metric_alarm.this["throttled-writes:${label}"].dimensions.TableName == var.tables[label] && aws_cloudwatch_metric_alarm.this["throttled-reads:${label}"].dimensions.TableName == var.tables[label]])
    error_message = "Throttling of every table."
  }
}

run "the_relay" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["history-mutated"].metric_name == "EventTableMutated" && aws_cloudwatch_metric_alarm.this["history-mutated"].threshold == 0 && aws_cloudwatch_metric_alarm.this["relay-rejected"].metric_name == "RelayRejected"
    error_message = "Changed history and strangers in the stream."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["iterator-age"].dimensions.FunctionName == "ledger-test-relay" && !contains(keys(aws_cloudwatch_metric_alarm.this), "pipe-failed")
    error_message = "A mapping tells how far behind it is."
  }
}

run "a_pipe_tells_its_failures" {
  variables {
    relay = { delivery = "pipe", pipe_name = "ledger-test" }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["pipe-failed"].dimensions.PipeName == "ledger-test" && !contains(keys(aws_cloudwatch_metric_alarm.this), "iterator-age")
    error_message = "A pipe has no iterator age; its failures count."
  }
}

run "what_is_not_there_is_not_watched" {
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "lease-age") && length(aws_budgets_budget.this) == 0 && length([for label in keys(aws_cloudwatch_metric_alarm.this) : label if startswith(label, "replication:")]) == 0
    error_message = "No lease, no budget, no replica."
  }
}

run "what_is_there_is_watched" {
  variables {
    lease              = true
    monthly_budget_usd = 500
    replica            = { region = "ap-southeast-2", tables = ["events"] }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["lease-age"].threshold == 15000 && aws_cloudwatch_metric_alarm.this["replication:events"].dimensions.ReceivingRegion == "ap-southeast-2"
    error_message = "Lease and replica."
  }

  # The age is that of what answers rest on: above 15 s there was no answer. A function that nobody asks tells nothing.
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["lease-age"].dimensions == tomap({ consumer = "api" }) && aws_cloudwatch_metric_alarm.this["lease-age"].statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.this["lease-age"].datapoints_to_alarm == 2 && aws_cloudwatch_metric_alarm.this["lease-age"].treat_missing_data == "notBreaching"
    )
    error_message = "The lease is out of reach in two of three minutes."
  }

  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "500.0" && alltrue([for notification in aws_budgets_budget.this[0].notification : contains(notification.subscriber_sns_topic_arns, var.alarm_topic_arn)])
    error_message = "The budget tells the topic."
  }
}

run "the_dashboard_can_be_read" {
  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Orders and errors", "## How far behind the views are", "## Queues and dead letters", "## What the tables are asked for", "## The relay: from the event table to the bus"]
    error_message = "Five rows, from what customers notice to what happens inside."
  }

  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24 && widget.width > 0])
    error_message = "Everything is on the page."
  }
}
