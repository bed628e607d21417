output "backend" {
  description = "The environments' backend, for `terraform init -backend-config`; each adds its own `key`."
  value = {
    bucket       = aws_s3_bucket.this["state"].id
    region       = var.region
    encrypt      = true
    kms_key_id   = aws_kms_key.this.arn
    use_lockfile = true
  }
}

output "github_variables" {
  description = "The variables (none is secret) to set in the repository on GitHub: Settings → Secrets and variables → Actions → Variables."
  value = {
    AWS_REGION       = var.region
    AWS_PLAN_ROLE    = aws_iam_role.github["plan"].arn
    AWS_IMAGE_ROLE   = aws_iam_role.github["image"].arn
    AWS_APPLY_ROLE   = aws_iam_role.github["apply"].arn
    STATE_BUCKET     = aws_s3_bucket.this["state"].id
    STATE_KMS_KEY    = aws_kms_key.this.arn
    PLANS_BUCKET     = aws_s3_bucket.this["plans"].id
    IMAGE_REPOSITORY = aws_ecr_repository.this.repository_url
  }
}
