mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "ap-southeast-4" }
  }
  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:ap-southeast-4:111122223333:key/11111111-2222-3333-4444-555555555555"
      key_id = "11111111-2222-3333-4444-555555555555"
    }
  }
}

override_resource {
  target = aws_s3_bucket.this
  values = { id = "ledger-test-111122223333-site", arn = "arn:aws:s3:::ledger-test-111122223333-site" }
}

override_resource {
  target = aws_s3_bucket.log
  values = { id = "ledger-test-111122223333-site-log", arn = "arn:aws:s3:::ledger-test-111122223333-site-log" }
}

variables {
  name             = "ledger-test"
  distribution_arn = "arn:aws:cloudfront::111122223333:distribution/E1ABCDEFGHIJKL"
  content_dir      = "./tests/content"
}

run "nothing_is_public" {
  command = apply

  assert {
    condition = alltrue([
      for block in [aws_s3_bucket_public_access_block.this, aws_s3_bucket_public_access_block.log] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "public access is blocked on both buckets"
  }
  assert {
    condition = alltrue([
      for controls in [aws_s3_bucket_ownership_controls.this, aws_s3_bucket_ownership_controls.log] :
      one(controls.rule).object_ownership == "BucketOwnerEnforced"
    ])
    error_message = "no access lists"
  }
  assert {
    condition = alltrue([
      for policy in [aws_s3_bucket_policy.this.policy, aws_s3_bucket_policy.log.policy] :
      length([
        for s in jsondecode(policy).Statement : s
        if s.Effect == "Deny" && s.Principal == "*" && s.Action == "s3:*" && s.Condition == { Bool = { "aws:SecureTransport" = "false" } }
      ]) == 1
    ])
    error_message = "TLS only, on both buckets"
  }
  assert {
    condition = alltrue([
      for policy in [aws_s3_bucket_policy.this.policy, aws_s3_bucket_policy.log.policy] :
      alltrue([for s in jsondecode(policy).Statement : can(s.Principal.Service) && can(s.Condition.StringEquals) if s.Effect == "Allow"])
    ])
    error_message = "only services are let in, and only for this distribution or account"
  }
}

run "names_exist_once_in_the_world" {
  command = plan

  assert {
    condition     = aws_s3_bucket.this.bucket == "ledger-test-111122223333-ap-southeast-4-site" && aws_s3_bucket.log.bucket == "ledger-test-111122223333-ap-southeast-4-logs"
    error_message = "account and Region are in the buckets' names"
  }
}

run "the_longest_name" {
  command = plan

  variables { name = "a23456789-123456789-123456789a" }

  assert {
    condition     = length(aws_s3_bucket.this.bucket) <= 63 && length(aws_s3_bucket.log.bucket) <= 63
    error_message = "S3 takes 63 characters"
  }
}

run "the_distribution_may_read_and_decrypt" {
  command = apply

  assert {
    condition = [for s in jsondecode(aws_s3_bucket_policy.this.policy).Statement : s if s.Effect == "Allow"] == [{
      Sid       = "CloudFrontReads"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::ledger-test-111122223333-site/*"
      Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:cloudfront::111122223333:distribution/E1ABCDEFGHIJKL" } }
    }]
    error_message = "the bucket lets this distribution read, and does nothing else"
  }
  assert {
    condition = [for s in jsondecode(aws_kms_key_policy.this.policy).Statement : s if can(s.Principal.Service)] == [{
      Sid       = "CloudFrontReads"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "kms:Decrypt"
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:cloudfront::111122223333:distribution/E1ABCDEFGHIJKL" } }
    }]
    error_message = "and the key lets it decrypt: one without the other serves 403"
  }
  assert {
    condition     = aws_kms_key_policy.this.key_id == aws_kms_key.this.key_id
    error_message = "the policy is on the bucket's key"
  }
}

run "encrypted_versioned_logged" {
  command = apply

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.this.arn && aws_kms_key.this.enable_key_rotation
    error_message = "encrypted with a key of our own, which rotates"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.log.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "the log's bucket with S3's keys: it would get no log with another"
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled"
    error_message = "versioned"
  }
  assert {
    condition     = aws_s3_bucket_logging.this.target_bucket == aws_s3_bucket.log.id && aws_s3_bucket_logging.this.target_prefix == "site/"
    error_message = "reads are logged, under the prefix the log's policy admits"
  }
  assert {
    condition     = one(one([for s in jsondecode(aws_s3_bucket_policy.log.policy).Statement : s if s.Effect == "Allow"]).Condition.ArnLike[*])["aws:SourceArn"] == "arn:aws:s3:::ledger-test-111122223333-site"
    error_message = "the log's bucket takes the site's log only"
  }
  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.log.rule).expiration).days == 365
    error_message = "logs expire"
  }
}

run "pages_answer_without_index_html" {
  command = apply

  assert {
    condition     = toset(keys(aws_s3_object.this)) == toset(["docs", "docs/assets/init.js", "openapi.json"])
    error_message = "docs/index.html is served as /docs"
  }
  assert {
    condition     = startswith(aws_s3_object.this["docs"].content_type, "text/html") && startswith(aws_s3_object.this["docs/assets/init.js"].content_type, "text/javascript") && aws_s3_object.this["openapi.json"].content_type == "application/json"
    error_message = "each with its type"
  }
}

run "an_empty_bucket" {
  command = plan

  variables { content_dir = null }

  assert {
    condition     = length(aws_s3_object.this) == 0
    error_message = "nothing is put there"
  }
}
