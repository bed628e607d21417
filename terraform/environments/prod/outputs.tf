output "url" {
  description = "Where clients find the API."
  value       = module.edge.url
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

output "dead_letter_queues" {
  description = "Name of every queue of dead letters."
  value       = module.pipeline.dead_letter_queues
}

output "secret_arns" {
  description = "Secrets of settings: put the list of webhooks into `notifications`."
  value       = module.pipeline.secret_arns
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.pipeline.dashboard
}
