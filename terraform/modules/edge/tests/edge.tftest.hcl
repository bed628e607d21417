mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      id             = "E1ABCDEFGHIJKL"
      arn            = "arn:aws:cloudfront::111122223333:distribution/E1ABCDEFGHIJKL"
      domain_name    = "d111111abcdef8.cloudfront.net"
      hosted_zone_id = "Z2FDTNDATAQYW2"
    }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/ledger-test/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
      key_id = "11111111-2222-3333-4444-555555555555"
    }
  }
  mock_resource "aws_cloudwatch_log_delivery_destination" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:delivery-destination:ledger-test-cloudfront" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "ledger.example.com"
        resource_record_name  = "_x.ledger.example.com."
        resource_record_type  = "CNAME"
        resource_record_value = "_y.acm-validations.aws."
      }]
    }
  }
}

override_resource {
  target = aws_cloudwatch_log_group.edge["access"]
  values = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/vendedlogs/cloudfront/ledger-test" }
}

override_resource {
  target = aws_cloudwatch_log_group.edge["firewall"]
  values = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-ledger-test" }
}

override_data {
  target = data.aws_secretsmanager_random_password.origin_secret["1"]
  values = { random_password = "the-first" }
}

override_data {
  target = data.aws_secretsmanager_random_password.origin_secret["2"]
  values = { random_password = "the-second" }
}

override_data {
  target = data.aws_secretsmanager_random_password.origin_secret["3"]
  values = { random_password = "the-third" }
}

variables {
  name                    = "ledger-test"
  api_origin_domain_name  = "a1b2c3d4e5.execute-api.ap-southeast-4.amazonaws.com"
  site_origin_domain_name = "ledger-test-111122223333-site.s3.ap-southeast-4.amazonaws.com"
}

run "first" {
  command = apply

  assert {
    condition     = length(output.origin_secrets) == 2 && output.origin_secrets[0] == "the-first" && output.origin_secrets[0] != output.origin_secrets[1]
    error_message = "two secrets are accepted from the start"
  }
  assert {
    condition     = one([for o in aws_cloudfront_distribution.this.origin : one(o.custom_header).value if o.origin_id == "api"]) == output.origin_secrets[0]
    error_message = "CloudFront shows the newest"
  }
  assert {
    condition     = one([for o in aws_cloudfront_distribution.this.origin : one(o.custom_header).name if o.origin_id == "api"]) == output.origin_secret_header
    error_message = "in the header the API looks at"
  }
}

run "applied_again" {
  command = apply

  # The data source draws anew with every plan.
  override_data {
    target = data.aws_secretsmanager_random_password.origin_secret["1"]
    values = { random_password = "another" }
  }

  assert {
    condition     = output.origin_secrets[0] == "the-first"
    error_message = "a secret stays as it was first drawn"
  }
}

run "rotated" {
  command = apply

  variables { origin_secret_rotation = 2 }

  assert {
    condition     = output.origin_secrets[0] == "the-second" && output.origin_secrets[1] == "the-first" && length(output.origin_secrets) == 2
    error_message = "the new one is shown, the one before it still accepted"
  }
}

run "rotated_again" {
  command = apply

  variables { origin_secret_rotation = 3 }

  assert {
    condition     = output.origin_secrets[0] == "the-third" && output.origin_secrets[1] == "the-second" && length(output.origin_secrets) == 2
    error_message = "only the present one and the one before it are accepted"
  }
  assert {
    condition     = toset(keys(terraform_data.origin_secret)) == toset(["0", "1", "2", "3"]) && terraform_data.origin_secret["1"].output == "the-first"
    error_message = "nothing that was drawn is removed: the plan would show it"
  }
}

# One run: the web ACL's schema is so deep that each takes Terraform seconds.
run "in_front_of_the_api_and_its_pages" {
  command = apply

  # The API is reached by TLS only, and never cached.
  assert {
    condition = alltrue([
      for o in aws_cloudfront_distribution.this.origin :
      one(o.custom_origin_config).origin_protocol_policy == "https-only" && one(o.custom_origin_config).origin_ssl_protocols == toset(["TLSv1.2"])
      if o.origin_id == "api"
    ])
    error_message = "CloudFront speaks TLS 1.2 with the API"
  }
  assert {
    condition     = one(aws_cloudfront_distribution.this.default_cache_behavior).viewer_protocol_policy == "https-only" && one(aws_cloudfront_distribution.this.default_cache_behavior).cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    error_message = "no plain HTTP, no caching of answers"
  }
  assert {
    condition     = [for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.path_pattern] == ["/docs", "/docs/*", "/openapi.json"] && alltrue([for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.target_origin_id == "site" && b.allowed_methods == toset(["GET", "HEAD"])])
    error_message = "only the description is the bucket's, and it is read only"
  }
  assert {
    condition     = one([for o in aws_cloudfront_distribution.this.origin : o.origin_access_control_id if o.origin_id == "site"]) == aws_cloudfront_origin_access_control.site.id && aws_cloudfront_origin_access_control.site.signing_behavior == "always"
    error_message = "CloudFront signs what it asks the bucket"
  }

  # Answers carry security headers.
  assert {
    condition = alltrue([
      for b in concat(tolist(aws_cloudfront_distribution.this.default_cache_behavior), tolist(aws_cloudfront_distribution.this.ordered_cache_behavior)) :
      b.response_headers_policy_id == aws_cloudfront_response_headers_policy.this.id
    ])
    error_message = "on every path"
  }
  assert {
    condition     = one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).strict_transport_security).access_control_max_age_sec >= 31536000
    error_message = "HSTS for at least a year"
  }
  assert {
    condition     = one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).frame_options).frame_option == "DENY" && one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_type_options).override && one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).referrer_policy).referrer_policy == "no-referrer"
    error_message = "no frames, no sniffing, no referrer"
  }
  assert {
    condition     = startswith(one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).content_security_policy, "default-src 'none'; script-src 'self';")
    error_message = "scripts come from here alone"
  }

  # The firewall is in front.
  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.this.arn && aws_wafv2_web_acl.this.scope == "CLOUDFRONT"
    error_message = "the web ACL is the distribution's"
  }
  assert {
    condition     = toset(compact([for r in aws_wafv2_web_acl.this.rule : try(one(one(r.statement).managed_rule_group_statement).name, "")])) == toset(["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"])
    error_message = "AWS's rule groups"
  }
  assert {
    condition     = one([for r in aws_wafv2_web_acl.this.rule : one(one(r.statement).rate_based_statement) if r.name == "requests-per-ip"]).limit == 3000 && one([for r in aws_wafv2_web_acl.this.rule : one(one(r.statement).rate_based_statement) if r.name == "requests-per-ip"]).aggregate_key_type == "IP"
    error_message = "a limit per address"
  }
  assert {
    condition = alltrue([
      for limit in [one([for r in aws_wafv2_web_acl.this.rule : one(one(r.statement).rate_based_statement) if r.name == "requests-per-token"])] :
      limit.limit == 3000 && limit.evaluation_window_sec == 60 && limit.aggregate_key_type == "CUSTOM_KEYS" && one(one(limit.custom_key).header).name == "authorization"
    ])
    error_message = "a limit per token, whatever addresses it comes from"
  }
  assert {
    condition     = alltrue([for r in aws_wafv2_web_acl.this.rule : one(one(one(r.action).block).custom_response).response_code == 429 if startswith(r.name, "requests-per-")])
    error_message = "too many requests are told so"
  }
  assert {
    condition     = length(distinct([for r in aws_wafv2_web_acl.this.rule : r.priority])) == length(aws_wafv2_web_acl.this.rule) && length(aws_wafv2_web_acl.this.rule) == 5
    error_message = "each rule has its place"
  }
  assert {
    condition     = aws_wafv2_web_acl_logging_configuration.this.log_destination_configs == toset([aws_cloudwatch_log_group.edge["firewall"].arn]) && toset([for f in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(f.single_header).name]) == toset(["authorization", "cookie"])
    error_message = "it logs, without tokens"
  }

  # Logs are encrypted and can be delivered.
  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.edge : g.kms_key_id == aws_kms_key.logs.arn && g.retention_in_days == 365]) && aws_kms_key.logs.enable_key_rotation
    error_message = "a key and a retention"
  }
  assert {
    condition = jsonencode([for s in jsondecode(aws_kms_key.logs.policy).Statement : s if can(s.Principal.Service)]) == jsonencode([{
      Sid       = "CloudWatchLogs"
      Effect    = "Allow"
      Principal = { Service = "logs.us-east-1.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Resource  = "*"
      Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = sort([for g in aws_cloudwatch_log_group.edge : g.arn]) } }
    }])
    error_message = "the key lets CloudWatch Logs of us-east-1 encrypt these groups"
  }
  assert {
    condition     = toset(one(jsondecode(aws_cloudwatch_log_resource_policy.edge.policy_document).Statement).Resource) == toset([for g in aws_cloudwatch_log_group.edge : "${g.arn}:*"])
    error_message = "and the account lets logs be delivered into them"
  }
  assert {
    condition     = aws_cloudwatch_log_delivery_source.access.resource_arn == aws_cloudfront_distribution.this.arn && aws_cloudwatch_log_delivery.access.delivery_destination_arn == aws_cloudwatch_log_delivery_destination.access.arn
    error_message = "CloudFront's access log is delivered"
  }

  # Without a domain.
  assert {
    condition     = output.url == "https://d111111abcdef8.cloudfront.net" && one(aws_cloudfront_distribution.this.viewer_certificate).cloudfront_default_certificate
    error_message = "CloudFront's own name and certificate"
  }
}

run "with_a_domain" {
  command = apply

  variables {
    domain = { name = "ledger.example.com", zone_id = "Z0123456789" }
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021" && one(aws_cloudfront_distribution.this.viewer_certificate).ssl_support_method == "sni-only"
    error_message = "TLS 1.2 or newer"
  }
  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).acm_certificate_arn == aws_acm_certificate.this[0].arn && startswith(aws_acm_certificate.this[0].arn, "arn:aws:acm:us-east-1:")
    error_message = "with a certificate of us-east-1"
  }
  assert {
    condition     = output.url == "https://ledger.example.com" && aws_cloudfront_distribution.this.aliases == toset(["ledger.example.com"]) && toset(keys(aws_route53_record.this)) == toset(["A", "AAAA"])
    error_message = "under its name, over IPv4 and IPv6"
  }
}

run "in_another_region" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-4" }
  }

  expect_failures = [aws_cloudfront_distribution.this]
}

run "a_limit_that_waf_does_not_know" {
  command = plan

  variables { requests_per_token = 9 }

  expect_failures = [var.requests_per_token]
}
