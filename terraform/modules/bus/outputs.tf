output "name" {
  description = "Name of the bus."
  value       = aws_cloudwatch_event_bus.this.name
}

output "arn" {
  description = "ARN of the bus."
  value       = local.arn
  depends_on  = [aws_cloudwatch_event_bus.this]
}

output "dead_letter_queue" {
  description = "Name of the queue that takes events the bus could not encrypt or decrypt."
  value       = aws_sqs_queue.dead_letters.name
}

output "policies" {
  description = "Policies of the queues, by queue, as they were planned."
  value       = { (aws_sqs_queue.dead_letters.name) = local.dead_policy }
}
