# The HTTP API: it checks tokens, counts requests, and hands them to one function. The function checks the token again.

locals {
  # What anybody may ask for: whether the service is up, and what it can do.
  open_routes = toset(["GET /healthz", "GET /docs", "GET /openapi.json"])

  # One JSON object a request. Neither tokens nor bodies.
  access_log = jsonencode({
    request_id   = "$context.requestId"
    time         = "$context.requestTime"
    ip           = "$context.identity.sourceIp"
    user_agent   = "$context.identity.userAgent"
    method       = "$context.httpMethod"
    path         = "$context.path"
    route        = "$context.routeKey"
    protocol     = "$context.protocol"
    status       = "$context.status"
    bytes        = "$context.responseLength"
    milliseconds = "$context.responseLatency"
    client       = "$context.authorizer.claims.client_id"
    error        = "$context.error.message"
    refused      = "$context.authorizer.error"
    integration  = "$context.integrationErrorMessage"
  })
}

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = "Inventory ledger"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.domain != null
}

resource "aws_apigatewayv2_integration" "function" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = var.function.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.issuer
    audience = var.audiences
  }
}

resource "aws_apigatewayv2_route" "api" {
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "ANY /v1/{proxy+}"
  target             = "integrations/${aws_apigatewayv2_integration.function.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.jwt.id
}

resource "aws_apigatewayv2_route" "open" {
  # checkov:skip=CKV_AWS_309: health and the API's description hold nothing of anybody's and are meant to be read
  for_each = local.open_routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.function.id}"
  authorization_type = "NONE"
}

resource "aws_cloudwatch_log_group" "access" {
  # Under /aws/vendedlogs/ the service needs no entry of its own in the account's log resource policy.
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  kms_key_id        = var.logs_kms_key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = local.access_log
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_rate_limit    = var.throttle.rate
    throttling_burst_limit   = var.throttle.burst
  }
}

resource "aws_lambda_permission" "invoke" {
  statement_id  = "${var.name}-http-api"
  action        = "lambda:InvokeFunction"
  function_name = var.function.name
  qualifier     = var.function.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
