output "queue" {
  description = "The consumer's queue."
  value       = { name = aws_sqs_queue.this.name, arn = local.queue_arn, url = aws_sqs_queue.this.url }
}

output "dead_letter_queue" {
  description = "The consumer's dead letters."
  value       = { name = aws_sqs_queue.dead_letters.name, arn = local.dead_arn, url = aws_sqs_queue.dead_letters.url }
}

output "rule_name" {
  description = "Name of the rule that feeds the queue."
  value       = aws_cloudwatch_event_rule.this.name
}

output "function" {
  description = "The function: name, alias, role, log group."
  value = {
    name           = module.function.name
    alias_name     = module.function.alias_name
    alias_arn      = module.function.alias_arn
    role_name      = module.function.role_name
    log_group_name = module.function.log_group_name
  }
}

output "times" {
  description = "In seconds: how long the function may take, and how long the queue hides a message meanwhile."
  value       = { function = var.function.timeout_seconds, hidden = aws_sqs_queue.this.visibility_timeout_seconds }
}

output "policies" {
  description = "Policies of the queues, by queue, as they were planned."
  value       = local.queue_policies
}

output "function_policy" {
  description = "What the function may do, as it was planned."
  value       = module.function.policy
}
