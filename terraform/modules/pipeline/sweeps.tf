# What no message tells of: once a minute the order processor looks for what is due, and where there is a lease,
# notifications and sequencer for what the Region that wrote before left undone.

resource "aws_iam_role" "sweep" {
  name        = "${var.name}-sweep-${local.scope.region}"
  description = "The schedules that have consumers look for what no message tells of"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheScheduleInvokes"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.scope.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "sweep" {
  name = "invoke-who-sweeps"
  role = aws_iam_role.sweep.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "InvokeWhoSweeps"
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = [for name in sort(local.swept) : module.consumer[name].function.alias_arn]
    }]
  })
}

resource "aws_scheduler_schedule" "sweep" {
  # checkov:skip=CKV_AWS_297: all that is encrypted is {"sweep": true}; AWS's own key does for it, and no missing right can stop it
  for_each = local.swept

  name                = "${var.name}-sweep-${each.key}"
  description         = "${each.key} looks for what no message tells of"
  schedule_expression = "rate(1 minute)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.consumer[each.key].function.alias_arn
    role_arn = aws_iam_role.sweep.arn
    input    = jsonencode({ sweep = true })

    # The next minute's sweep finds what this one missed.
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }

  depends_on = [aws_iam_role_policy.sweep, aws_lambda_function_event_invoke_config.sweep]
}

# The schedule hands its event to a queue inside Lambda, which would try a sweep that failed twice more, and keep one
# that is throttled for six hours.
resource "aws_lambda_function_event_invoke_config" "sweep" {
  for_each = local.swept

  function_name                = module.consumer[each.key].function.name
  qualifier                    = module.consumer[each.key].function.alias_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}
