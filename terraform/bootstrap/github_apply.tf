# The apply role makes and changes whatever the environments consist of, their functions' roles included. Who can have a
# plan applied is thus an administrator of this account: give production an account of its own, and the GitHub
# environment reviewers. What the role can't do is change this file's resources.

locals {
  own_roles = "arn:${local.partition}:iam::${local.account}:role/${var.name}-*"
}

resource "aws_iam_role_policy_attachment" "apply_services" {
  role       = aws_iam_role.github["apply"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "apply" {
  # checkov:skip=CKV_AWS_286: it makes the functions' roles; see above for what follows from that
  # checkov:skip=CKV_AWS_287: none of its actions shows a credential
  # checkov:skip=CKV_AWS_289: only on roles whose names start with the environments' prefix
  name = "apply"
  role = aws_iam_role.github["apply"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "FunctionsRoles"
        Effect = "Allow"
        Action = [
          "iam:CreateRole",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
          "iam:ListRoleTags",
          "iam:PutRolePolicy",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole",
        ]
        Resource = local.own_roles
      },
      {
        Sid      = "HandRolesToServices"
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = local.own_roles
        Condition = {
          StringEquals = {
            "iam:PassedToService" = [
              "lambda.amazonaws.com",
              "pipes.amazonaws.com",
              "scheduler.amazonaws.com",
              "vpc-flow-logs.amazonaws.com",
            ]
          }
        }
      },
      {
        Sid    = "NotWhatGuardsIt"
        Effect = "Deny"
        Action = [
          "ecr:DeleteRepository",
          "ecr:DeleteRepositoryPolicy",
          "ecr:PutImageTagMutability",
          "ecr:SetRepositoryPolicy",
          "kms:DisableKey",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
          "s3:DeleteBucket",
          "s3:DeleteBucketPolicy",
          "s3:DeleteObjectVersion",
          "s3:PutBucketLogging",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
        ]
        Resource = concat(
          [aws_ecr_repository.this.arn, aws_kms_key.this.arn],
          flatten([for kind in sort(keys(local.buckets)) : [aws_s3_bucket.this[kind].arn, "${aws_s3_bucket.this[kind].arn}/*"]]),
        )
      },
    ]
  })
}
