output "notifications_arn" {
  description = "The topic of notifications."
  value       = local.arn.notifications
  depends_on  = [aws_sns_topic.this]
}

output "alarms_arn" {
  description = "The topic of alarms."
  value       = local.arn.alarms
  depends_on  = [aws_sns_topic.this, aws_sns_topic_policy.this]
}

output "inbox_url" {
  description = "URL of the queue that collects notifications; null where there is none."
  value       = one(aws_sqs_queue.inbox[*].url)
}

output "policies" {
  description = "Policies of topics and queue, by name, as they were planned."
  value = merge(
    { for topic, policy in local.topic_policies : "${var.name}-${topic}" => policy },
    var.inbox ? { (local.inbox) = local.inbox_policy } : {},
  )
}
