mock_provider "aws" {
  # The buckets and the key refuse to be destroyed, so nothing is applied.
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:ap-southeast-4:111122223333:key/11111111-2222-3333-4444-555555555555"
      key_id = "11111111-2222-3333-4444-555555555555"
    }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:ap-southeast-4:111122223333:repository/ledger"
      repository_url = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger"
    }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/github" }
  }
}

override_resource {
  override_during = plan
  target          = aws_s3_bucket.this["state"]
  values          = { id = "ledger-state", arn = "arn:aws:s3:::ledger-state" }
}

override_resource {
  override_during = plan
  target          = aws_s3_bucket.this["plans"]
  values          = { id = "ledger-plans", arn = "arn:aws:s3:::ledger-plans" }
}

override_resource {
  override_during = plan
  target          = aws_s3_bucket.this["log"]
  values          = { id = "ledger-log", arn = "arn:aws:s3:::ledger-log" }
}

variables {
  github_repository = "example/inventory-ledger"
}

run "trust_is_spelled_out" {
  command = plan

  assert {
    condition = alltrue([
      for kind, role in aws_iam_role.github :
      jsonencode(jsondecode(role.assume_role_policy)) == jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
          Action    = "sts:AssumeRoleWithWebIdentity"
          Condition = {
            StringEquals = merge(
              {
                "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
                "token.actions.githubusercontent.com:sub" = {
                  plan  = ["repo:example/inventory-ledger:pull_request", "repo:example/inventory-ledger:ref:refs/heads/main"]
                  image = ["repo:example/inventory-ledger:ref:refs/heads/main"]
                  apply = ["repo:example/inventory-ledger:environment:production"]
                }[kind]
              },
              kind == "plan" ? {} : { "token.actions.githubusercontent.com:ref" = "refs/heads/main" },
              kind == "apply" ? { "token.actions.githubusercontent.com:environment" = "production" } : {},
            )
          }
        }]
      })
    ])
    error_message = "each role trusts exactly the subjects it is for, by StringEquals; what changes something is taken on main alone"
  }
  assert {
    condition     = toset(keys(aws_iam_role.github)) == toset(["plan", "image", "apply"])
    error_message = "there are three roles"
  }
  assert {
    condition     = one(aws_iam_openid_connect_provider.github).client_id_list == toset(["sts.amazonaws.com"])
    error_message = "tokens are meant for STS"
  }
}

run "planning_reads_no_data_and_writes_only_plans" {
  command = plan

  assert {
    condition     = aws_iam_role_policy_attachment.plan_reads.policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    error_message = "it reads"
  }
  assert {
    condition = toset(flatten([
      for s in jsondecode(aws_iam_role_policy.plan.policy).Statement : s.Action if s.Effect == "Allow"
    ])) == toset(["s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey", "secretsmanager:GetRandomPassword"])
    error_message = "and is allowed nothing more"
  }
  assert {
    condition = [
      for s in jsondecode(aws_iam_role_policy.plan.policy).Statement : s.Resource if s.Effect == "Allow" && s.Action == "s3:PutObject"
    ] == ["arn:aws:s3:::ledger-plans/*"]
    error_message = "what it writes are plans"
  }
  assert {
    condition = length(setsubtract(
      [
        "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:GetRecords", "sqs:ReceiveMessage",
        "logs:GetLogEvents", "logs:GetLogObject", "secretsmanager:GetSecretValue", "ssm:GetParameter", "xray:BatchGetTraces",
      ],
      flatten([for s in jsondecode(aws_iam_role_policy.plan.policy).Statement : s.Action if s.Effect == "Deny" && s.Sid == "NotTheData"])
    )) == 0
    error_message = "it is denied orders, stock, messages, logs, traces and secrets"
  }
  assert {
    condition = [
      for s in jsondecode(aws_iam_role_policy.plan.policy).Statement : s.Resource if s.Effect == "Deny" && s.Action == "s3:GetObjectVersion"
    ] == ["*"]
    error_message = "old states are not read: their secrets may still be good"
  }
}

run "images_are_pushed_and_nothing_else" {
  command = plan

  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.image.policy).Statement :
      s.Resource == aws_ecr_repository.this.arn || s.Action == "ecr:GetAuthorizationToken"
    ])
    error_message = "this repository only"
  }
  assert {
    condition     = alltrue([for action in flatten([for s in jsondecode(aws_iam_role_policy.image.policy).Statement : s.Action]) : startswith(action, "ecr:") && !strcontains(action, "*") && !strcontains(action, "Delete")])
    error_message = "it deletes nothing"
  }
}

run "applying_cannot_change_who_may_apply" {
  command = plan

  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.apply.policy).Statement :
      s.Resource == "arn:aws:iam::111122223333:role/ledger-*" if s.Effect == "Allow"
    ])
    error_message = "IAM is allowed on the environments' roles only"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.github : startswith(role.name, "github-")])
    error_message = "which these roles are not"
  }
  assert {
    condition     = toset(one([for s in jsondecode(aws_iam_role_policy.apply.policy).Statement : s if s.Effect == "Allow" && s.Action == "iam:PassRole"]).Condition.StringEquals["iam:PassedToService"]) == toset([for service in ["lambda", "pipes", "scheduler", "vpc-flow-logs"] : "${service}.amazonaws.com"])
    error_message = "roles are handed to the services that have them, and to no others"
  }
  assert {
    condition     = length([for action in flatten([for s in jsondecode(aws_iam_role_policy.apply.policy).Statement : s.Action if s.Effect == "Allow"]) : action if strcontains(action, "AttachRole") || strcontains(action, "DetachRole") || endswith(action, "Policy") && strcontains(action, ":Create")]) == 0
    error_message = "roles get policies of their own, none of the account's"
  }
  assert {
    condition     = toset(one([for s in jsondecode(aws_iam_role_policy.apply.policy).Statement : s if s.Effect == "Deny"]).Resource) == toset([aws_ecr_repository.this.arn, aws_kms_key.this.arn, "arn:aws:s3:::ledger-state", "arn:aws:s3:::ledger-state/*", "arn:aws:s3:::ledger-plans", "arn:aws:s3:::ledger-plans/*", "arn:aws:s3:::ledger-log", "arn:aws:s3:::ledger-log/*"])
    error_message = "the state, the plans, the log, the images and their key are guarded"
  }
  assert {
    condition = length(setsubtract(
      ["s3:PutBucketLogging", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"],
      one([for s in jsondecode(aws_iam_role_policy.apply.policy).Statement : s if s.Effect == "Deny"]).Action
    )) == 0
    error_message = "in every setting that bootstrap gives the buckets"
  }
}

run "nothing_is_public_everything_is_encrypted" {
  command = plan

  assert {
    condition     = alltrue([for b in aws_s3_bucket_public_access_block.this : b.block_public_acls && b.block_public_policy && b.ignore_public_acls && b.restrict_public_buckets]) && length(aws_s3_bucket_public_access_block.this) == 3
    error_message = "no public access"
  }
  assert {
    condition = alltrue([
      for kind in ["state", "plans"] :
      one(one(aws_s3_bucket_server_side_encryption_configuration.this[kind].rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.this.arn
    ]) && aws_kms_key.this.enable_key_rotation
    error_message = "state and plans are encrypted with our key, which rotates"
  }
  assert {
    condition = alltrue([
      for policy in aws_s3_bucket_policy.this :
      length([for s in jsondecode(policy.policy).Statement : s if s.Effect == "Deny" && s.Principal == "*" && s.Condition == { Bool = { "aws:SecureTransport" = "false" } }]) == 1
    ])
    error_message = "TLS only"
  }
  assert {
    condition     = alltrue([for v in aws_s3_bucket_versioning.this : one(v.versioning_configuration).status == "Enabled"])
    error_message = "versioned: an old state can be brought back"
  }
  assert {
    condition     = toset(keys(aws_s3_bucket_logging.this)) == toset(["state", "plans"])
    error_message = "who read state or plans is logged"
  }
  assert {
    condition     = length(one(aws_s3_bucket_lifecycle_configuration.this["state"].rule).expiration) == 0 && one(one(aws_s3_bucket_lifecycle_configuration.this["plans"].rule).expiration).days == 7
    error_message = "plans expire, the state does not"
  }
}

run "images_are_immutable_scanned_encrypted" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.this.image_scanning_configuration).scan_on_push
    error_message = "a tag never moves; images are scanned"
  }
  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).kms_key == aws_kms_key.this.arn
    error_message = "encrypted with our key"
  }
  assert {
    condition     = one(jsondecode(aws_ecr_repository_policy.this.policy).Statement).Condition.ArnLike == { "aws:SourceArn" = "arn:aws:lambda:*:111122223333:function:ledger-*" }
    error_message = "our functions run them"
  }
  assert {
    condition     = one(one(one(aws_ecr_replication_configuration.this).replication_configuration).rule).destination[0].region == "ap-southeast-2"
    error_message = "they are copied to the other Region"
  }
}

run "what_the_workflows_need" {
  command = plan

  assert {
    condition     = output.backend.use_lockfile && output.backend.encrypt && output.backend.bucket == "ledger-state" && output.backend.kms_key_id == aws_kms_key.this.arn
    error_message = "an encrypted state with a lock file"
  }
  assert {
    condition     = toset(keys(output.github_variables)) == toset(["AWS_REGION", "AWS_PLAN_ROLE", "AWS_IMAGE_ROLE", "AWS_APPLY_ROLE", "STATE_BUCKET", "STATE_KMS_KEY", "PLANS_BUCKET", "IMAGE_REPOSITORY"])
    error_message = "every variable the workflows read"
  }
}

run "an_account_that_knows_github_already" {
  command = plan

  variables {
    github_oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/other"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && alltrue([for role in aws_iam_role.github : one(jsondecode(role.assume_role_policy).Statement).Principal.Federated == "arn:aws:iam::111122223333:oidc-provider/other"])
    error_message = "uses the provider it has"
  }
}

run "a_repository_that_is_named_by_its_ids" {
  command = plan

  variables { github_repository = "example@123456/inventory-ledger@456789" }

  assert {
    condition = {
      for kind, role in aws_iam_role.github : kind => one(jsondecode(role.assume_role_policy).Statement).Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      } == {
      plan  = ["repo:example@123456/inventory-ledger@456789:pull_request", "repo:example@123456/inventory-ledger@456789:ref:refs/heads/main"]
      image = ["repo:example@123456/inventory-ledger@456789:ref:refs/heads/main"]
      apply = ["repo:example@123456/inventory-ledger@456789:environment:production"]
    }
    error_message = "the subjects have the ids"
  }
}

run "a_wildcard_for_a_repository" {
  command = plan

  variables { github_repository = "example/*" }

  expect_failures = [var.github_repository]
}

run "a_repository_without_the_id_of_its_owner" {
  command = plan

  variables { github_repository = "example/inventory-ledger@456789" }

  expect_failures = [var.github_repository]
}

run "a_wildcard_for_a_branch" {
  command = plan

  variables { main_branch = "*" }

  expect_failures = [var.main_branch]
}
