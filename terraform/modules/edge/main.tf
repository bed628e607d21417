# CloudFront in front of everything: TLS, security headers, the firewall, and the only way to the API that the API
# accepts, since only CloudFront knows the origin secret.
#
# CloudFront's certificate, web ACL and logs live in us-east-1, wherever the system runs; the rest of the edge has no
# Region. So the whole module is called with a provider of us-east-1.

locals {
  # Policies that AWS provides; their ids are the same in every account.
  caching_disabled              = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized             = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  # What the bucket answers. Everything else is the API's.
  static_paths = ["/docs", "/docs/*", "/openapi.json"]

  # The pages load only what is beside them; Swagger UI sets styles on elements.
  content_security_policy = join("; ", [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ])
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV2_AWS_47: the web ACL has the rule group; the check does not see dynamic rules
  # checkov:skip=CKV_AWS_86: access logs go to CloudWatch (standard logging v2, logs.tf), not to a bucket
  # checkov:skip=CKV_AWS_174: with CloudFront's own certificate the version cannot be set; with a domain it is TLSv1.2_2021
  # checkov:skip=CKV2_AWS_42: a certificate of its own comes with a domain, which is optional
  # checkov:skip=CKV_AWS_305: "/" is the API's
  # checkov:skip=CKV_AWS_310: one Region writes at a time; the writer moves by `ledger failover`, not per request
  # checkov:skip=CKV_AWS_374: customers' machines are where they are; tokens decide, not countries
  comment         = var.name
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = var.price_class
  aliases         = var.domain == null ? [] : [var.domain.name]
  web_acl_id      = aws_wafv2_web_acl.this.arn

  origin {
    origin_id   = "api"
    domain_name = var.api_origin_domain_name

    custom_header {
      name  = local.origin_secret_header
      value = local.origin_secret
    }

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 30
      origin_keepalive_timeout = 60
    }
  }

  origin {
    origin_id                = "site"
    domain_name              = var.site_origin_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site.id
  }

  default_cache_behavior {
    target_origin_id           = "api"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_disabled
    origin_request_policy_id   = local.all_viewer_except_host_header
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.static_paths

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "site"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = local.caching_optimized
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = one(aws_acm_certificate_validation.this[*].certificate_arn)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
  }

  lifecycle {
    precondition {
      condition     = data.aws_region.current.id == "us-east-1"
      error_message = "Call module edge with a provider of us-east-1: providers = { aws = aws.us_east_1 }."
    }
  }
}

resource "aws_cloudfront_origin_access_control" "site" {
  name                              = "${var.name}-site"
  description                       = "CloudFront signs what it asks the bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_response_headers_policy" "this" {
  name    = var.name
  comment = "What browsers must not do with answers"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    content_security_policy {
      content_security_policy = local.content_security_policy
      override                = true
    }
  }

  remove_headers_config {
    items {
      header = "Server"
    }
  }
}
