output "bucket" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.id
}

output "bucket_regional_domain_name" {
  description = "Host name CloudFront reads the bucket by."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}

output "kms_key_arn" {
  description = "The key the pages are encrypted with."
  value       = aws_kms_key.this.arn
}
