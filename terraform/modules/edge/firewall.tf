# The web ACL. It is CloudFront's, so it lives in us-east-1.

locals {
  # AWS's rule groups in their order, and the rules of each that only count.
  managed_rules = [
    { name = "AWSManagedRulesAmazonIpReputationList", only_count = [] },
    # Its 8 KB limit would refuse large orders. The API has a limit of its own.
    { name = "AWSManagedRulesCommonRuleSet", only_count = ["SizeRestrictions_BODY"] },
    { name = "AWSManagedRulesKnownBadInputsRuleSet", only_count = [] },
  ]
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192: AWSManagedRulesKnownBadInputsRuleSet is in managed_rules; the check does not see dynamic rules
  name        = var.name
  description = "Known bad addresses and requests, and too many of them"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "requests-per-ip"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_ip
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "requests-per-ip"
      sampled_requests_enabled   = true
    }
  }

  # A client may come from many addresses, and many instances of the function each count for themselves; its token is one.
  # Requests without a token are counted by their address alone.
  rule {
    name     = "requests-per-token"
    priority = 1

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_token
        evaluation_window_sec = 60
        aggregate_key_type    = "CUSTOM_KEYS"

        custom_key {
          header {
            name = "authorization"

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "requests-per-token"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = { for number, group in local.managed_rules : number => group }

    content {
      name     = rule.value.name
      priority = rule.key + 2

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.name

          dynamic "rule_action_override" {
            for_each = rule.value.only_count

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.value.name
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.edge["firewall"].arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.edge]
}
