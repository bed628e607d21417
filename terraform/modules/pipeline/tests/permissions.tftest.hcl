# Who may do what: read from the policies as they are planned, for all functions at once.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name    = "ledger-test"
  package = { image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
  network = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  inbox   = true
}

# One run for all that needs no other variables: every run plans some 150 resources.
run "who_may_do_what" {
  # ---- the whole pipeline

  assert {
    condition     = toset(keys(output.functions)) == toset(concat(["api", "relay"], keys(jsondecode(file("../../../projections/delivery/rules.json")))))
    error_message = "A function for the API, the relay and every consumer that has a rule."
  }

  assert {
    condition     = toset(keys(output.tables)) == setsubtract(keys(jsondecode(file("../../../ledger/store/tables.json"))), ["pump"])
    error_message = "The manifest's tables, without the local pump's."
  }

  assert {
    condition     = alltrue([for queue in values(output.dead_letter_queues) : contains(keys(output.policies.queues), queue)])
    error_message = "Every queue of dead letters has a policy."
  }

  assert {
    condition     = toset(keys(output.dead_letter_queues)) == toset([for label in keys(output.alarms) : split(":", label)[1] if startswith(label, "dead-letters:")])
    error_message = "Every queue of dead letters has an alarm."
  }

  assert {
    condition     = output.delivery == "event_source_mapping"
    error_message = "There are no pipes in Melbourne."
  }

  assert {
    condition     = output.settings.lease == "false" && jsonencode(output.settings.sweeps) == jsonencode({ order_processor = { attempts = 0, every = "rate(1 minute)", input = "{\"sweep\":true}" } })
    error_message = "Without a lease the order processor alone sweeps: the others would not know what they are asked for."
  }

  assert {
    condition     = alltrue([for name, times in output.settings.times : times.hidden >= 6 * times.function]) && output.settings.times.notifications.function == 90
    error_message = "A message is hidden for six times as long as the function may take; a webhook has a minute."
  }

  # ---- no wildcards

  assert {
    condition = length(flatten([for function, policy in merge(output.policies.functions, { stream = output.policies.stream }) : [
      for statement in policy.Statement : [for action in statement.Action : "${function}: ${action}" if strcontains(action, "*")]
    ]])) == 0
    error_message = "Every action is named."
  }

  assert {
    condition = toset(flatten([for policy in values(merge(output.policies.functions, { stream = output.policies.stream })) : [
      for statement in policy.Statement : statement.Sid if contains(statement.Resource, "*") && statement.Effect == "Allow"
    ]])) == toset(["FindTheStream", "InterfacesInTheNetwork", "SendTraces"])
    error_message = "Every resource is named, but where AWS knows none: interfaces, traces, the list of streams."
  }

  assert {
    condition = length(flatten([for policy in values(merge(output.policies.functions, { stream = output.policies.stream })) : [
      for statement in policy.Statement : [for resource in statement.Resource : resource if strcontains(resource, "*") && resource != "*" && !endswith(resource, "/index/*") && !endswith(resource, ":*") && statement.Effect == "Allow"]
    ]])) == 0
    error_message = "Within a table its indexes, within a log group its streams; nothing wider."
  }

  # ---- history is only added to

  assert {
    condition = alltrue([for policy in output.policies.functions : length([for statement in policy.Statement : statement if(
      statement.Effect == "Deny" && contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events") && !can(statement.Condition) &&
      length(setsubtract(["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"], statement.Action)) == 0
    )]) == 1])
    error_message = "Every function is denied to change or remove events."
  }

  assert {
    condition = alltrue([for policy in output.policies.functions : length([for statement in policy.Statement : statement if(
      statement.Effect == "Deny" && contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events") && contains(statement.Action, "dynamodb:PutItem") &&
      try(statement.Condition.StringNotEquals["dynamodb:EnclosingOperation"], "") == "TransactWriteItems"
    )]) == 1])
    error_message = "Every function is denied to put events but in a transaction."
  }

  assert {
    condition = toset(flatten([for function, policy in output.policies.functions : [for statement in policy.Statement : function if(
      statement.Effect == "Allow" && contains(statement.Action, "dynamodb:PutItem") && contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events")
    )]])) == toset(["api", "order_processor"])
    error_message = "The API and the order processor append events, nobody else."
  }

  assert {
    condition = alltrue(flatten([for policy in output.policies.functions : [for statement in policy.Statement :
      try(statement.Condition.StringEquals["dynamodb:EnclosingOperation"], "") == "TransactWriteItems" if(
        statement.Effect == "Allow" && contains(statement.Action, "dynamodb:PutItem") && contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events")
    )]]))
    error_message = "They append in transactions."
  }

  assert {
    condition = length(flatten([for policy in output.policies.functions : [for statement in policy.Statement : statement if(
      statement.Effect == "Allow" && length(setintersection(statement.Action, ["dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:DeleteTable", "dynamodb:UpdateTable"])) > 0
    )]])) == 0
    error_message = "No function scans, deletes items or touches tables."
  }

  # ---- everybody keeps to their own

  assert {
    condition = alltrue([for view in ["open_reservations", "orders", "stock_levels"] : toset(flatten([for function, policy in output.policies.functions : [
      for statement in policy.Statement : function if(
        statement.Effect == "Allow" && contains(statement.Action, "dynamodb:PutItem") && contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-${view}")
      )
    ]])) == toset([view])])
    error_message = "A view is written by its consumer alone."
  }

  assert {
    condition     = toset(flatten([for function, policy in output.policies.functions : [for statement in policy.Statement : function if contains(statement.Action, "events:PutEvents")]])) == toset(["relay"])
    error_message = "The relay publishes, nobody else."
  }

  assert {
    condition     = toset(flatten([for function, policy in output.policies.functions : [for statement in policy.Statement : function if contains(statement.Action, "secretsmanager:GetSecretValue")]])) == toset(["api", "notifications"])
    error_message = "Secrets are read by those who need them."
  }

  assert {
    condition = length([for statement in output.policies.functions.relay.Statement : statement if(
      statement.Effect == "Allow" && length([for action in statement.Action : action if startswith(action, "dynamodb:")]) > 0
    )]) == 0
    error_message = "The relay reads no table."
  }

  # ---- keys are used for what they are for

  assert {
    condition = alltrue(flatten([for policy in values(merge(output.policies.functions, { stream = output.policies.stream })) : [
      for statement in policy.Statement : can(statement.Condition) && !contains(statement.Resource, "*")
      if length([for action in statement.Action : action if startswith(action, "kms:")]) > 0
    ]]))
    error_message = "A function uses a key only through the service it is for, or for its own environment."
  }

  # ---- nothing is public

  assert {
    condition = length(flatten([for policy in values(merge(output.policies.queues, output.policies.topics, output.policies.keys)) : [
      for statement in policy.Statement : statement.Sid if statement.Effect == "Allow" && try(statement.Principal.AWS, "") == "*"
    ]])) == 0
    error_message = "Queues, topics and keys admit nobody unnamed."
  }

  assert {
    condition = alltrue(flatten([for policy in values(merge(output.policies.queues, output.policies.topics)) : [
      for statement in policy.Statement : length(setintersection(["aws:SourceArn"], flatten([for test, keys in statement.Condition : keys(keys)]))) == 1 if statement.Effect == "Allow"
    ]]))
    error_message = "Queues and topics admit a service only for a named source."
  }

  # ---- bus and rules to queues

  assert {
    condition = alltrue(flatten([for consumer in keys(output.queues) : [for queue in ["ledger-test-${consumer}", "ledger-test-${consumer}-dead-letters"] : length([
      for statement in output.policies.queues[queue].Statement : statement if(
        try(statement.Principal.Service, "") == "events.amazonaws.com" &&
        try(statement.Condition.ArnEquals["aws:SourceArn"], "") == "arn:aws:events:ap-southeast-4:111122223333:rule/ledger-test/ledger-test-${consumer}"
      )
    ]) == 1]]))
    error_message = "Each rule reaches its consumer's queue and dead letters."
  }

  assert {
    condition = length([for statement in output.policies.keys.messages.Statement : statement if(
      try(statement.Principal.Service, "") == "events.amazonaws.com" && try(statement.Condition.ArnLike["kms:EncryptionContext:aws:sqs:arn"], "") == "arn:aws:sqs:ap-southeast-4:111122223333:ledger-test-*"
    )]) == 1
    error_message = "And the key lets it."
  }

  assert {
    condition     = try([for statement in output.policies.queues["ledger-test-bus-dead-letters"].Statement : statement.Condition.ArnEquals["aws:SourceArn"] if statement.Effect == "Allow"], []) == ["arn:aws:events:ap-southeast-4:111122223333:event-bus/ledger-test"]
    error_message = "The bus reaches its dead letters."
  }

  # ---- what this module makes itself is encrypted, too

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.settings : secret.kms_key_id == module.keys.arns.secrets]) && aws_sqs_queue.relay_dead_letters.kms_master_key_id == module.keys.arns.messages
    error_message = "Secrets and the relay's dead letters are encrypted with the customer's keys."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.sweep.policy).Statement[*].Action == [["lambda:InvokeFunction"]] && jsondecode(aws_iam_role.sweep.assume_role_policy).Statement[0].Principal == { Service = "scheduler.amazonaws.com" }
    error_message = "The schedule invokes functions, and does nothing else."
  }

  # ---- alarms, budgets and topics

  assert {
    condition = alltrue([for service in ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"] : (
      contains([for statement in output.policies.topics["ledger-test-alarms"].Statement : try(statement.Principal.Service, "")], service) &&
      contains([for statement in output.policies.keys.messages.Statement : try(statement.Principal.Service, "")], service)
    )])
    error_message = "Alarms and budgets reach the topic, by its policy and by its key's."
  }

  assert {
    condition = (
      contains([for statement in output.policies.topics["ledger-test-inbox"].Statement : try(statement.Principal.Service, "")], "sns.amazonaws.com") &&
      contains([for statement in output.policies.keys.messages.Statement : try(statement.Principal.Service, "")], "sns.amazonaws.com")
    )
    error_message = "The topic of notifications reaches the inbox, by its policy and by its key's."
  }

  assert {
    condition = alltrue([for actions in [["sns:Publish"], ["kms:Decrypt", "kms:GenerateDataKey"]] : length([
      for statement in output.policies.functions.notifications.Statement : statement if statement.Effect == "Allow" && length(setsubtract(actions, statement.Action)) == 0
    ]) > 0])
    error_message = "The function that notifies publishes to an encrypted topic."
  }

  # ---- dead letters of functions

  assert {
    condition = alltrue([for function in concat(["relay"], keys(output.queues)) : length([
      for statement in output.policies.functions[function].Statement : statement if(
        statement.Effect == "Allow" && jsonencode([statement.Action, statement.Resource]) == jsonencode([["sqs:SendMessage"], ["arn:aws:sqs:ap-southeast-4:111122223333:ledger-test-${function}-dead-letters"]])
      )
    ]) == 1])
    error_message = "Every consumer and the relay put away their own dead letters."
  }
}

run "a_second_region" {
  variables {
    notify_webhooks    = { count = 3, version = 2 }
    replica            = { region = "ap-southeast-2", key_arn = "arn:aws:kms:ap-southeast-2:111122223333:key/bbbbbbbb-2222-3333-4444-555555555555" }
    lease              = true
    monthly_budget_usd = 500
  }

  assert {
    condition     = toset([for label in keys(output.alarms) : split(":", label)[1] if startswith(label, "replication:")]) == toset([for name, table in jsondecode(file("../../../ledger/store/tables.json")) : name if table.replicated && name != "pump"])
    error_message = "Every replicated table's replica is watched."
  }

  # ---- the lease

  assert {
    condition     = output.settings.lease == "true" && contains(keys(output.alarms), "lease-age")
    error_message = "Functions write under the lease, and its age is watched."
  }

  assert {
    condition     = toset(keys(output.settings.sweeps)) == toset(["notifications", "order_processor", "sequencer"]) && alltrue([for sweep in output.settings.sweeps : sweep.every == "rate(1 minute)" && jsondecode(sweep.input) == { sweep = true } && sweep.attempts == 0])
    error_message = "Whoever acts under the lease is asked to sweep."
  }

  assert {
    condition = alltrue([for table, item in { lease = "any", commands = "lease#fence" } : toset(flatten([for function, policy in output.policies.functions : [for statement in policy.Statement : function if(
      jsonencode([statement.Effect, statement.Action, statement.Resource]) == jsonencode(["Allow", ["dynamodb:GetItem"], ["arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-${table}"]]) &&
      try(statement.Condition["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"], "any") == item
    )]])) == toset(["api", "notifications", "order_processor", "sequencer"])])
    error_message = "Who appends, sequences or notifies reads the lease and its fence, nobody else."
  }

  assert {
    condition = jsonencode([for statement in flatten([for function in sort(keys(output.policies.functions)) : output.policies.functions[function].Statement]) : [statement.Action, statement.Condition] if(
      contains(statement.Resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-lease") && !contains(statement.Action, "dynamodb:GetItem")
    )]) == jsonencode([for name in ["notifications", "sequencer"] : [["dynamodb:PutItem"], { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = "swept#${name}" } }]])
    error_message = "Each remembers its own sweep; who writes is said by operators alone."
  }

  assert {
    condition = jsonencode(flatten([for function in sort(keys(output.policies.functions)) : [for statement in output.policies.functions[function].Statement : [function, statement.Resource] if(
      statement.Effect == "Allow" && contains(statement.Action, "dynamodb:Scan")
    )]])) == jsonencode(flatten([for name in ["notifications", "sequencer"] : [name, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-events"]]))
    error_message = "On taking the lease these two look at all of history, and at nothing else."
  }

  # tests/infra/test_agreement.py holds the same file against what the functions were seen to do.
  assert {
    condition = alltrue([for function, policy in output.policies.functions : toset(flatten([for statement in policy.Statement : [for resource in statement.Resource : [for action in statement.Action :
      "${trimsuffix(trimprefix(resource, "arn:aws:dynamodb:ap-southeast-4:111122223333:table/ledger-test-"), "/*")} ${trimprefix(action, "dynamodb:")}${try(statement.Condition.StringEquals["dynamodb:EnclosingOperation"], "") == "TransactWriteItems" ? " in a commit" : ""}"
      if startswith(action, "dynamodb:")]] if statement.Effect == "Allow"
    ])) == toset(flatten([for table, actions in jsondecode(file("tests/rights.json"))[function] : [for action in actions : "${table} ${action}"]]))])
    error_message = "Each function may do with each table what tests/rights.json says, and nothing else."
  }

  assert {
    condition     = output.settings.times.notifications.function == 210 && alltrue([for times in output.settings.times : times.hidden >= 6 * times.function])
    error_message = "Every webhook has its minute."
  }
}

run "nobody_has_fifteen_webhooks" {
  command = plan

  variables {
    notify_webhooks = { count = 15 }
  }

  expect_failures = [var.notify_webhooks]
}

run "a_pipe_in_sydney" {
  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-2" }
  }

  assert {
    condition     = output.delivery == "pipe" && contains(keys(output.alarms), "pipe-failed")
    error_message = "There are pipes in Sydney."
  }
}

run "as_many_lanes_as_one_commit_can_touch" {
  command = plan

  variables {
    auto_lanes = 16
    locations  = ["a", "b", "c", "d", "e", "f"]
  }

  expect_failures = [var.auto_lanes]
}
