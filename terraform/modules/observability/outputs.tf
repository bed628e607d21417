output "alarms" {
  description = "Every alarm's full name, by its own."
  value       = { for label, alarm in aws_cloudwatch_metric_alarm.this : label => alarm.alarm_name }
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
