# Where Terraform's state is kept, and, for a week, the plans that wait for approval. Both can hold secrets: one key of
# our own, no public access, TLS only, every read logged.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  prefix    = "${var.name}-${local.account}-${var.region}"

  buckets = {
    # Old states are how one goes back after a mishap.
    state = { name = "${local.prefix}-state", expire_days = null, keep_old_days = 365 }
    plans = { name = "${local.prefix}-plans", expire_days = 7, keep_old_days = 1 }
    log   = { name = "${local.prefix}-log", expire_days = 365, keep_old_days = 1 }
  }
  logged = { for kind, bucket in local.buckets : kind => bucket if kind != "log" }
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: Terraform's state and plans, and images"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ThisAccount"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-bootstrap"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18: logged, below; only the log's own bucket is not, or it would never end
  # checkov:skip=CKV_AWS_144: what is lost with a Region can be imported again; a second copy is a second place for secrets
  # checkov:skip=CKV_AWS_145: encrypted with the key, below; only the log's bucket is not, since S3 would not deliver there
  # checkov:skip=CKV2_AWS_62: nothing reacts to a new state or plan
  for_each = local.buckets

  bucket = each.value.name

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    bucket_key_enabled = each.key != "log"

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "log" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "log" ? null : aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    dynamic "expiration" {
      for_each = each.value.expire_days[*]

      content {
        days = expiration.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days = each.value.keep_old_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      each.key != "log" ? [] : [{
        Sid       = "S3Delivers"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = [for kind in sort(keys(local.logged)) : "${aws_s3_bucket.this["log"].arn}/${kind}/*"]
        Condition = {
          ArnLike      = { "aws:SourceArn" = [for kind in sort(keys(local.logged)) : aws_s3_bucket.this[kind].arn] }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      }]
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_logging" "this" {
  for_each = local.logged

  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.this["log"].id
  target_prefix = "${each.key}/"

  depends_on = [aws_s3_bucket_policy.this]
}
