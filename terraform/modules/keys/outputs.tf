output "arns" {
  description = "ARN of each key, by purpose."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}

output "policies" {
  description = "Key policy of each key, by purpose, as it was planned."
  value       = local.policies
}
