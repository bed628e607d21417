mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      id            = "a1b2c3d4e5"
      api_endpoint  = "https://a1b2c3d4e5.execute-api.ap-southeast-4.amazonaws.com"
      execution_arn = "arn:aws:execute-api:ap-southeast-4:111122223333:a1b2c3d4e5"
    }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-southeast-4:111122223333:log-group:access" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-southeast-4:111122223333:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "origin.example.com"
        resource_record_name  = "_x.origin.example.com."
        resource_record_type  = "CNAME"
        resource_record_value = "_y.acm-validations.aws."
      }]
    }
  }
  mock_resource "aws_apigatewayv2_domain_name" {
    defaults = {
      domain_name_configuration = {
        target_domain_name = "d-1.execute-api.ap-southeast-4.amazonaws.com"
        hosted_zone_id     = "Z2MJTLP0O1V4ZZ"
      }
    }
  }
}

variables {
  name             = "ledger-test"
  logs_kms_key_arn = "arn:aws:kms:ap-southeast-4:111122223333:key/11111111-2222-3333-4444-555555555555"
  issuer           = "https://id.example.com"
  audiences        = ["inventory"]
  function = {
    name       = "ledger-test-api"
    alias      = "live"
    invoke_arn = "arn:aws:apigateway:ap-southeast-4:lambda:path/2015-03-31/functions/arn:aws:lambda:ap-southeast-4:111122223333:function:ledger-test-api:live/invocations"
  }
}

run "everything_under_v1_needs_a_token" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_route.api.route_key == "ANY /v1/{proxy+}" && aws_apigatewayv2_route.api.authorization_type == "JWT" && aws_apigatewayv2_route.api.authorizer_id == aws_apigatewayv2_authorizer.jwt.id
    error_message = "the API is behind the authorizer"
  }
  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.open : startswith(route.route_key, "GET /") && !strcontains(route.route_key, "/v1")])
    error_message = "what is open can only be read, and none of it is under /v1"
  }
  assert {
    condition     = one(aws_apigatewayv2_authorizer.jwt.jwt_configuration).issuer == "https://id.example.com" && one(aws_apigatewayv2_authorizer.jwt.jwt_configuration).audience == toset(["inventory"])
    error_message = "the issuer's tokens, meant for this API"
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.identity_sources == toset(["$request.header.Authorization"])
    error_message = "the token comes in the Authorization header"
  }
}

run "requests_go_to_the_alias_and_only_from_this_api" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_integration.function.integration_uri == var.function.invoke_arn && aws_apigatewayv2_integration.function.payload_format_version == "2.0"
    error_message = "the alias answers, in payload format 2.0"
  }
  assert {
    condition     = aws_lambda_permission.invoke.qualifier == "live" && aws_lambda_permission.invoke.function_name == "ledger-test-api"
    error_message = "the permission is the alias's"
  }
  assert {
    condition     = aws_lambda_permission.invoke.source_arn == "arn:aws:execute-api:ap-southeast-4:111122223333:a1b2c3d4e5/*/*" && aws_lambda_permission.invoke.principal == "apigateway.amazonaws.com"
    error_message = "and this API's alone"
  }
}

run "requests_are_limited_and_logged" {
  command = apply

  assert {
    condition     = one(aws_apigatewayv2_stage.this.default_route_settings).throttling_rate_limit == 500 && one(aws_apigatewayv2_stage.this.default_route_settings).throttling_burst_limit == 1000
    error_message = "throttled"
  }
  assert {
    condition     = aws_cloudwatch_log_group.access.kms_key_id == var.logs_kms_key_arn && aws_cloudwatch_log_group.access.retention_in_days == 365
    error_message = "the access log has a key and a retention"
  }
  assert {
    condition     = one(aws_apigatewayv2_stage.this.access_log_settings).destination_arn == aws_cloudwatch_log_group.access.arn && can(jsondecode(one(aws_apigatewayv2_stage.this.access_log_settings).format).request_id)
    error_message = "one JSON object a request"
  }
  assert {
    condition     = !strcontains(lower(one(aws_apigatewayv2_stage.this.access_log_settings).format), "authorization")
    error_message = "no tokens in the log"
  }
}

run "without_a_domain" {
  command = apply

  assert {
    condition     = !aws_apigatewayv2_api.this.disable_execute_api_endpoint && length(aws_apigatewayv2_domain_name.this) == 0
    error_message = "the default endpoint is the endpoint"
  }
  assert {
    condition     = output.origin_domain_name == "a1b2c3d4e5.execute-api.ap-southeast-4.amazonaws.com" && output.endpoint == "https://a1b2c3d4e5.execute-api.ap-southeast-4.amazonaws.com"
    error_message = "which is what the outputs say"
  }
}

run "with_a_domain" {
  command = apply

  variables {
    domain = { name = "origin.example.com", zone_id = "Z0123456789" }
  }

  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint
    error_message = "the default endpoint is off"
  }
  assert {
    condition     = one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).endpoint_type == "REGIONAL" && one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).security_policy == "TLS_1_2"
    error_message = "a Regional endpoint that speaks TLS 1.2 or newer"
  }
  assert {
    condition     = output.origin_domain_name == "origin.example.com" && output.endpoint == "https://origin.example.com"
    error_message = "which is what the outputs say"
  }
  assert {
    condition     = aws_route53_record.this[0].name == "origin.example.com" && one(aws_route53_record.this[0].alias).name == "d-1.execute-api.ap-southeast-4.amazonaws.com"
    error_message = "its name resolves"
  }
}

run "no_audience" {
  command = plan

  variables { audiences = [] }

  expect_failures = [var.audiences]
}
