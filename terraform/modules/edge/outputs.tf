output "url" {
  description = "Where clients find the API, and people its description at `/docs`."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "distribution_id" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "The distribution's ARN: the site's bucket and key name it."
  value       = aws_cloudfront_distribution.this.arn
}

output "origin_secret_header" {
  description = "Name of the header in which CloudFront shows the secret."
  value       = local.origin_secret_header
}

output "origin_secrets" {
  description = "The secrets that the API must accept: the present one, and the one before it."
  value       = sensitive([for rotation in local.rotations : terraform_data.origin_secret[rotation].output])
  sensitive   = true
}

output "web_acl_arn" {
  description = "The firewall's web ACL."
  value       = aws_wafv2_web_acl.this.arn
}
