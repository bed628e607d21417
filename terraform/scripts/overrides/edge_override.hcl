# Over modules/edge. The emulator's API is found by its path, over plain HTTP; everything else of the distribution is as
# the module has it, with the origin secret.

resource "aws_cloudfront_distribution" "this" {
  origin {
    origin_id   = "api"
    domain_name = "localhost"
    origin_path = "/_aws/execute-api/${regex("^http://([a-f0-9]+)\\.", var.api_origin_domain_name)[0]}/$default"

    custom_header {
      name  = local.origin_secret_header
      value = local.origin_secret
    }

    custom_origin_config {
      http_port                = tonumber(regex(":([0-9]+)$", var.api_origin_domain_name)[0])
      https_port               = 443
      origin_protocol_policy   = "http-only"
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
}

# MiniStack has web ACLs but can't be told to log them.
resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = 0
}
