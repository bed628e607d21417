output "api" {
  description = "The API's function, for the HTTP front: name, alias and what API Gateway invokes."
  value       = { name = module.api.name, alias_name = module.api.alias_name, alias_arn = module.api.alias_arn, alias_invoke_arn = module.api.alias_invoke_arn, role_name = module.api.role_name }
}

output "functions" {
  description = "Name of every function, by what it is. Each has the alias `live`."
  value       = merge({ api = module.api.name, relay = module.relay.name }, { for name, consumer in module.consumer : name => consumer.function.name })
}

output "tables" {
  description = "Full name of every table, by its name in the manifest."
  value       = module.tables.names
}

output "bus_name" {
  description = "The bus all events are published to."
  value       = module.bus.name
}

output "delivery" {
  description = "How the event table's stream reaches the relay: `pipe` or `event_source_mapping`."
  value       = module.stream.delivery
}

output "queues" {
  description = "URL of every consumer's queue."
  value       = { for name, consumer in module.consumer : name => consumer.queue.url }
}

output "settings" {
  description = "Settings that differ between functions, and what each consumer is given in time: its function's, and how long its queue hides a message. For reviews and tests."
  value = {
    lease = local.environment.LEDGER_LEASE
    times = { for name, consumer in module.consumer : name => consumer.times }
    sweeps = { for name, schedule in aws_scheduler_schedule.sweep : name => {
      every    = schedule.schedule_expression
      input    = one(schedule.target).input
      attempts = aws_lambda_function_event_invoke_config.sweep[name].maximum_retry_attempts
    } }
  }
}

output "dead_letter_queues" {
  description = "Name of every queue of dead letters, by what it is."
  value       = local.dead_letter_queues
}

output "notifications_topic_arn" {
  description = "The topic of notifications."
  value       = module.topics.notifications_arn
}

output "alarms_topic_arn" {
  description = "The topic of alarms."
  value       = module.topics.alarms_arn
}

output "inbox_url" {
  description = "URL of the queue that collects notifications; null where there is none."
  value       = module.topics.inbox_url
}

output "key_arns" {
  description = "KMS keys by purpose: data, messages, logs, secrets."
  value       = module.keys.arns
}

output "secret_arns" {
  description = "Secrets of settings, by function."
  value       = { for name, secret in aws_secretsmanager_secret.settings : name => secret.arn }
}

output "alarms" {
  description = "Every alarm's full name, by its own."
  value       = module.observability.alarms
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard
}

output "policies" {
  description = "Every policy as it was planned: what each function may do, what keys, queues and topics admit. For reviews and tests."
  value = {
    functions = merge({ api = module.api.policy, relay = module.relay.policy }, { for name, consumer in module.consumer : name => consumer.function_policy })
    stream    = module.stream.policy
    keys      = module.keys.policies
    queues = merge(concat(
      [module.bus.policies, module.stream.policies, { (local.relay_dead) = local.relay_dead_policy }],
      [for consumer in module.consumer : consumer.policies],
    )...)
    topics = module.topics.policies
  }
}
