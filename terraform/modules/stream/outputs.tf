output "delivery" {
  description = "How records reach the relay: `pipe` or `event_source_mapping`."
  value       = local.delivery
}

output "pipe_name" {
  description = "Name of the pipe; null where there is none."
  value       = one(aws_pipes_pipe.relay[*].name)
}

output "dead_letter_queue" {
  description = "Places in the stream that could not be relayed."
  value       = { name = aws_sqs_queue.dead_letters.name, arn = local.dead_arn, url = aws_sqs_queue.dead_letters.url }
}

output "policy" {
  description = "What the stream's reader may do (the pipe's role, or an addition to the relay's), as it was planned."
  value       = local.policy
}

output "policies" {
  description = "Policies of the queues, by queue, as they were planned."
  value       = { (local.dead) = local.dead_policy }
}
