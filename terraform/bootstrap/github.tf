# What GitHub's workflows may do, without any stored key: a workflow shows a token that GitHub signed, and the role it
# may take depends on what the token says it runs for. Every subject is spelled out; there are no wildcards. What changes
# something is taken on the main branch only, whatever the settings of an environment on GitHub say.

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_oidc_provider_arn == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  oidc_provider_arn = coalesce(var.github_oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))
  repository        = "repo:${var.github_repository}"
  main              = "refs/heads/${var.main_branch}"
  on_main           = "${local.repository}:ref:${local.main}"

  # Names that the environments' own roles (`ledger-…`) can't have: what applies must not change who may apply.
  roles = {
    plan = {
      description = "Reads, to plan: on pull requests and on ${var.main_branch}"
      subjects    = ["${local.repository}:pull_request", local.on_main]
      claims      = {}
      hours       = 1
    }
    image = {
      description = "Pushes images built from ${var.main_branch}"
      subjects    = [local.on_main]
      claims      = { ref = local.main }
      hours       = 1
    }
    apply = {
      description = "Applies an approved plan: in the environment ${var.github_environment}, on ${var.main_branch} only"
      subjects    = ["${local.repository}:environment:${var.github_environment}"]
      claims      = { ref = local.main, environment = var.github_environment }
      hours       = 2
    }
  }

  state_objects = "${aws_s3_bucket.this["state"].arn}/*"
  plan_objects  = "${aws_s3_bucket.this["plans"].arn}/*"
}

resource "aws_iam_role" "github" {
  for_each = local.roles

  name                 = "github-${var.name}-${each.key}"
  description          = each.value.description
  max_session_duration = each.value.hours * 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = merge(
          {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = each.value.subjects
          },
          { for claim, value in each.value.claims : "token.actions.githubusercontent.com:${claim}" => value },
        )
      }
    }]
  })
}
