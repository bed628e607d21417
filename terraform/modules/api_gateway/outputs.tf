output "api_id" {
  description = "The API."
  value       = aws_apigatewayv2_api.this.id
}

output "origin_domain_name" {
  description = "Host name to reach the API by: its own domain, or AWS's default endpoint. Known once the routes, and so the function behind them, are in place."
  value       = var.domain == null ? trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://") : var.domain.name
  depends_on  = [aws_apigatewayv2_route.api, aws_apigatewayv2_route.open, aws_route53_record.this, aws_apigatewayv2_api_mapping.this]
}

output "endpoint" {
  description = "URL of the API without CloudFront: AWS's default endpoint, or the domain."
  value       = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"
}

output "access_log_group" {
  description = "Log group of the access log."
  value       = aws_cloudwatch_log_group.access.name
}
