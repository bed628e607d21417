# The host name people use. CloudFront takes certificates from us-east-1 only.

resource "aws_acm_certificate" "this" {
  count = var.domain == null ? 0 : 1

  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = var.domain == null ? toset([]) : toset([var.domain.name])

  zone_id         = var.domain.zone_id
  name            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_name])
  type            = one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_type])
  records         = [one([for option in aws_acm_certificate.this[0].domain_validation_options : option.resource_record_value])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.domain == null ? 0 : 1

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "this" {
  for_each = var.domain == null ? toset([]) : toset(["A", "AAAA"])

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
