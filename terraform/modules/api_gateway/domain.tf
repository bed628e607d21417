# A host name of its own, in this Region. CloudFront asks for it; the default endpoint would be a way around CloudFront.

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

resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = aws_acm_certificate_validation.this[0].certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this.id
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).target_domain_name
    zone_id                = one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).hosted_zone_id
    evaluate_target_health = true
  }
}
