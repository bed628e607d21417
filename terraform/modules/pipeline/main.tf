# The whole of the ledger behind its HTTP front: keys, tables, the stream's relay, the bus, a queue and
# a function per consumer, the API's function, topics, alarms and the dashboard.

module "keys" {
  source = "../keys"

  name                 = var.name
  deletion_window_days = var.key_deletion_window_days
}

module "tables" {
  source = "../tables"

  name                = var.name
  scope               = local.scope
  tables              = local.tables
  key_arn             = module.keys.arns.data
  replica             = var.replica
  replicated_tables   = var.replicated_tables
  deletion_protection = var.deletion_protection
  backup_days         = var.backup_days
}

module "topics" {
  source = "../topics"

  name         = var.name
  scope        = local.scope
  key_arn      = module.keys.arns.messages
  alarm_emails = var.alarm_emails
  inbox        = var.inbox
}

module "bus" {
  source = "../bus"

  name         = var.name
  scope        = local.scope
  key_arn      = module.keys.arns.messages
  archive_days = var.archive_days
}

# ---- the API's function; the HTTP front is other modules' work

module "api" {
  source = "../function"

  name                 = "${var.name}-api"
  description          = "Answers the API"
  scope                = local.scope
  handler              = "api.lambda_handler.handler"
  package              = var.package
  architecture         = var.architecture
  memory_mb            = var.api.memory_mb
  timeout_seconds      = var.api.timeout_seconds
  reserved_concurrency = var.api.reserved_concurrency
  snap_start           = var.api.snap_start
  statements           = local.statements.api
  network              = var.network
  keys                 = { logs = module.keys.arns.logs, secrets = module.keys.arns.secrets }
  log_retention_days   = var.log_retention_days

  environment = merge(local.environment, {
    LEDGER_SECRET_ARNS      = join(",", local.secret_arns.api)
    POWERTOOLS_SERVICE_NAME = "api"

    # Secrets are read when a function starts: a new one needs functions that start anew.
    LEDGER_SECRETS_VERSION = "${var.cursor_secret_version}.${var.api_secret_settings_version}"
  }, var.api.environment)

  depends_on = [aws_secretsmanager_secret_version.api, aws_secretsmanager_secret_version.edge]
}

# ---- the relay

locals {
  relay_dead     = "${var.name}-relay-dead-letters"
  relay_dead_arn = "arn:${local.scope.partition}:sqs:${local.scope.region}:${local.scope.account_id}:${local.relay_dead}"

  relay_dead_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["sqs:*"]
      Resource  = local.relay_dead_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  }
}

# Records that hold no event of ours, put away by the relay itself.
resource "aws_sqs_queue" "relay_dead_letters" {
  name                      = local.relay_dead
  kms_master_key_id         = module.keys.arns.messages
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_policy" "relay_dead_letters" {
  queue_url = aws_sqs_queue.relay_dead_letters.id
  policy    = jsonencode(local.relay_dead_policy)
}

module "relay" {
  source = "../function"

  name                 = "${var.name}-relay"
  description          = "Publishes the event table's stream to the bus"
  scope                = local.scope
  handler              = "projections.handlers.relay.handler"
  package              = var.package
  architecture         = var.architecture
  memory_mb            = var.relay.memory_mb
  timeout_seconds      = var.relay.timeout_seconds
  reserved_concurrency = var.relay.reserved_concurrency
  statements           = local.statements.relay
  network              = var.network
  keys                 = { logs = module.keys.arns.logs, secrets = module.keys.arns.secrets }
  log_retention_days   = var.log_retention_days

  environment = merge(local.environment, {
    LEDGER_BUS                   = module.bus.name
    LEDGER_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.relay_dead_letters.url
    POWERTOOLS_SERVICE_NAME      = "relay"
  })
}

module "stream" {
  source = "../stream"

  name                 = var.name
  scope                = local.scope
  delivery             = var.delivery
  stream_arn           = module.tables.stream_arns["events"]
  relay                = { name = module.relay.name, alias_arn = module.relay.alias_arn, role_name = module.relay.role_name }
  keys                 = { data = module.tables.key_arns, messages = module.keys.arns.messages, logs = module.keys.arns.logs }
  batch_size           = var.relay.batch_size
  batch_window_seconds = var.relay.batch_window_seconds
  parallelization      = var.relay.parallelization
  log_retention_days   = var.log_retention_days

  # Nobody publishes before everybody listens.
  depends_on = [module.consumer]
}

# ---- the consumers

module "consumer" {
  source   = "../consumer"
  for_each = local.rules

  name                 = var.name
  consumer             = each.key
  description          = local.known[each.key].description
  scope                = local.scope
  bus_name             = module.bus.name
  event_pattern        = jsonencode(each.value)
  keys                 = { messages = module.keys.arns.messages, logs = module.keys.arns.logs, secrets = module.keys.arns.secrets }
  batch_size           = local.consumer_settings[each.key].batch_size
  batch_window_seconds = local.consumer_settings[each.key].batch_window_seconds
  maximum_concurrency  = local.consumer_settings[each.key].maximum_concurrency
  max_receives         = local.consumer_settings[each.key].max_receives

  function = {
    package              = var.package
    architecture         = var.architecture
    memory_mb            = local.consumer_settings[each.key].memory_mb
    timeout_seconds      = local.consumer_settings[each.key].timeout_seconds
    reserved_concurrency = local.consumer_settings[each.key].reserved_concurrency
    statements           = local.statements[each.key]
    network              = var.network
    log_retention_days   = var.log_retention_days

    environment = merge(
      local.environment,
      each.key != "notifications" ? {} : {
        LEDGER_NOTIFY_SNS_TOPIC_ARN = module.topics.notifications_arn
        LEDGER_SECRET_ARNS          = join(",", local.secret_arns.notifications)
        LEDGER_SECRETS_VERSION      = tostring(var.notify_webhooks.version)
      },
    )
  }
}

# ---- alarms and the dashboard

module "observability" {
  source = "../observability"

  name            = var.name
  region          = local.scope.region
  alarm_topic_arn = module.topics.alarms_arn
  runbook         = var.runbook
  bus             = module.bus.name
  tables          = module.tables.names
  relay           = { delivery = module.stream.delivery, pipe_name = module.stream.pipe_name }
  has_api         = var.api_gateway.exists
  api_id          = var.api_gateway.id
  lease           = var.lease
  replica         = var.replica == null ? null : { region = var.replica.region, tables = local.replicated }

  functions          = merge({ api = module.api.name, relay = module.relay.name }, { for name, consumer in module.consumer : name => consumer.function.name })
  consumers          = { for name, consumer in module.consumer : name => { queue = consumer.queue.name, rule = consumer.rule_name } }
  dead_letter_queues = local.dead_letter_queues

  monthly_budget_usd = var.monthly_budget_usd
}

locals {
  dead_letter_queues = merge(
    { bus = module.bus.dead_letter_queue, relay = aws_sqs_queue.relay_dead_letters.name, stream = module.stream.dead_letter_queue.name },
    { for name, consumer in module.consumer : name => consumer.dead_letter_queue.name },
  )
}
