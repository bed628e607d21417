output "url" {
  description = "Where clients find the API."
  value       = module.edge.url
}

output "api_endpoint" {
  description = "The API without its front. It refuses requests that lack the front's secret."
  value       = module.api_gateway.endpoint
}

output "auth" {
  description = "Where clients get tokens, and as whom."
  value       = { issuer = module.auth.issuer, token_url = module.auth.token_url, client_ids = module.auth.client_ids, user_pool_id = module.auth.user_pool_id }
}

output "functions" {
  description = "Name of every function; each has the alias `live`."
  value       = module.pipeline.functions
}

output "tables" {
  description = "Full name of every table."
  value       = module.pipeline.tables
}

output "bus_name" {
  description = "The bus all events are published to."
  value       = module.pipeline.bus_name
}

output "delivery" {
  description = "How the event table's stream reaches the relay."
  value       = module.pipeline.delivery
}

output "queues" {
  description = "URL of every consumer's queue."
  value       = module.pipeline.queues
}

output "dead_letter_queues" {
  description = "Name of every queue of dead letters."
  value       = module.pipeline.dead_letter_queues
}

output "inbox_url" {
  description = "The queue that collects notifications."
  value       = module.pipeline.inbox_url
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.pipeline.dashboard
}
